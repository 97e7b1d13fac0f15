#define _GNU_SOURCE
#include "bootstrap_discovery.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct bootstrap_discovery {
    int socket;
    FILE *replies;
    char *line; /* of getline(3) */
    size_t line_size;
    json_int_t last_id;
    json_t *reply; /* the last one; what was returned may point into it */
    char error[512];
};

/* Answers with the JSON that their text lies in. */
struct nodes {
    bootstrap_nodes list;
    json_t *reply;
};

struct services {
    bootstrap_service_list list;
    json_t *reply;
};

bootstrap_discovery *bootstrap_connect(const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path == NULL) path = BOOTSTRAP_SOCKET;
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    strcpy(address.sun_path, path);
    bootstrap_discovery *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    d->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->socket < 0 || connect(d->socket, (struct sockaddr *)&address, sizeof address) < 0 || (d->replies = fdopen(d->socket, "r")) == NULL) {
        int reason = errno;
        if (d->socket >= 0) close(d->socket);
        free(d);
        errno = reason;
        return NULL;
    }
    return d;
}

void bootstrap_close(bootstrap_discovery *d) {
    if (d == NULL) return;
    fclose(d->replies);
    free(d->line);
    json_decref(d->reply);
    free(d);
}

const char *bootstrap_error(const bootstrap_discovery *d) { return d->error; }

static void *fail(bootstrap_discovery *d, const char *why) {
    snprintf(d->error, sizeof d->error, "%s", why);
    return NULL;
}

static bool send_all(bootstrap_discovery *d, const char *bytes, size_t count) {
    while (count > 0) {
        /* The Slave may be gone: that is an error, no signal. */
        ssize_t sent = send(d->socket, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            fail(d, strerror(errno));
            return false;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* The next reply, which d keeps; NULL if it is an error or none. */
static json_t *receive(bootstrap_discovery *d) {
    json_decref(d->reply);
    d->reply = NULL;
    ssize_t length = getline(&d->line, &d->line_size, d->replies);
    if (length < 0) return fail(d, "the Slave ended the connection");
    json_error_t why;
    d->reply = json_loadb(d->line, (size_t)length, 0, &why);
    if (d->reply == NULL) return fail(d, why.text);
    json_t *error = json_object_get(d->reply, "error");
    return json_is_string(error) ? fail(d, json_string_value(error)) : d->reply;
}

/* Sends a request, which it frees. */
static bool send_request(bootstrap_discovery *d, json_t *request) {
    json_object_set_new(request, "v", json_integer(1));
    json_object_set_new(request, "id", json_integer(++d->last_id));
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (text == NULL) return fail(d, "the request holds text that is not UTF-8, or there is no memory for it");
    bool sent = send_all(d, text, strlen(text)) && send_all(d, "\n", 1);
    free(text);
    return sent;
}

static json_t *ask(bootstrap_discovery *d, json_t *request) { return send_request(d, request) ? receive(d) : NULL; }

static json_t *strings(const char *const *list) {
    if (list == NULL) return NULL;
    json_t *array = json_array();
    for (; *list != NULL; list++) json_array_append_new(array, json_string(*list));
    return array;
}

static json_t *named(const bootstrap_param *params) {
    if (params == NULL) return NULL;
    json_t *object = json_object();
    for (; params->name != NULL; params++) json_object_set_new(object, params->name, json_string(params->value));
    return object;
}

static json_t *number(int value) { return value == BOOTSTRAP_DEFAULT ? NULL : json_integer(value); }

/* In the formats of json_pack, a star leaves out what is NULL. */
static json_t *request_of(const char *command, const char *service, const bootstrap_search *search) {
    static const bootstrap_search everything = BOOTSTRAP_SEARCH;
    if (search == NULL) search = &everything;
    return json_pack("{s:s, s:s*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:s*, s:s*, s:s*}", "command", command, "service", service,
        "nodes", strings(search->nodes), "maxNodes", number(search->max_nodes), "exclude", strings(search->exclude),
        "params", named(search->params), "timeout", number(search->timeout), "retries", number(search->retries),
        "meshes", strings(search->meshes), "role", search->role, "kind", search->kind, "instance", search->instance);
}

static const char *text(json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "" : value;
}

static bootstrap_param *params_of(json_t *object, size_t *count) {
    bootstrap_param *params = calloc(json_object_size(object) + 1, sizeof *params), *next = params;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        if (params == NULL) break;
        *next++ = (bootstrap_param){ name, json_string_value(value) };
    }
    *count = (size_t)(next - params);
    return params;
}

static bootstrap_service *services_of(json_t *array, size_t *count) {
    *count = json_array_size(array);
    bootstrap_service *services = calloc(*count + 1, sizeof *services);
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value) {
        if (services == NULL) break;
        services[i].id = text(value, "id");
        services[i].params = params_of(json_object_get(value, "parameters"), &services[i].param_count);
    }
    return services;
}

static void free_services(const bootstrap_service *services, size_t count) {
    for (size_t i = 0; services != NULL && i < count; i++) free((void *)services[i].params);
    free((void *)services);
}

static bootstrap_nodes *nodes_of(bootstrap_discovery *d, json_t *reply) {
    if (reply == NULL) return NULL;
    json_t *array = json_object_get(reply, "nodes"), *value;
    struct nodes *found = calloc(1, sizeof *found);
    bootstrap_node *nodes = calloc(json_array_size(array) + 1, sizeof *nodes);
    if (found == NULL || nodes == NULL) {
        free(found);
        free(nodes);
        return fail(d, strerror(ENOMEM));
    }
    size_t i;
    json_array_foreach(array, i, value) {
        json_t *identity = json_object_get(value, "identity");
        nodes[i] = (bootstrap_node){
            .id = text(value, "id"), .host_name = text(value, "hostName"), .address = text(value, "address"),
            .role = text(identity, "role"), .kind = text(identity, "kind"), .instance = text(identity, "instance"),
            .proven = json_is_true(json_object_get(value, "proven")),
        };
        nodes[i].params = params_of(json_object_get(value, "parameters"), &nodes[i].param_count);
        nodes[i].services = services_of(json_object_get(value, "services"), &nodes[i].service_count);
    }
    *found = (struct nodes){ { nodes, json_array_size(array) }, json_incref(reply) };
    return &found->list;
}

bootstrap_nodes *bootstrap_marco(bootstrap_discovery *d, const bootstrap_search *search) {
    return nodes_of(d, ask(d, request_of("marco", NULL, search)));
}

bootstrap_nodes *bootstrap_request_for(bootstrap_discovery *d, const char *service, const bootstrap_search *search) {
    return nodes_of(d, ask(d, request_of("request_for", service, search)));
}

void bootstrap_nodes_free(bootstrap_nodes *list) {
    if (list == NULL) return;
    for (size_t i = 0; i < list->count; i++) {
        free((void *)list->nodes[i].params);
        free_services(list->nodes[i].services, list->nodes[i].service_count);
    }
    free((void *)list->nodes);
    json_decref(((struct nodes *)list)->reply);
    free(list);
}

bootstrap_service_list *bootstrap_services(bootstrap_discovery *d, const char *node) {
    json_t *reply = ask(d, json_pack("{s:s, s:[s]}", "command", "services", "nodes", node));
    struct services *found = reply == NULL ? NULL : calloc(1, sizeof *found);
    if (found == NULL) return NULL;
    found->list.services = services_of(json_object_get(reply, "services"), &found->list.count);
    found->reply = json_incref(reply);
    return &found->list;
}

void bootstrap_service_list_free(bootstrap_service_list *list) {
    if (list == NULL) return;
    free_services(list->services, list->count);
    json_decref(((struct services *)list)->reply);
    free(list);
}

const char *bootstrap_publish(bootstrap_discovery *d, const char *service, const bootstrap_param *params, const char *const *meshes) {
    json_t *reply = ask(d, json_pack("{s:s, s:s, s:o*, s:o*}", "command", "publish", "service", service, "params", named(params), "meshes", strings(meshes)));
    return reply == NULL ? NULL : text(reply, "service");
}

const char *bootstrap_unpublish(bootstrap_discovery *d, const char *service) {
    json_t *reply = ask(d, json_pack("{s:s, s:s}", "command", "unpublish", "service", service));
    return reply == NULL ? NULL : text(reply, "service");
}

int bootstrap_watch(bootstrap_discovery *d, bool (*happened)(const bootstrap_event *, void *context), void *context) {
    if (!send_request(d, json_pack("{s:s}", "command", "watch"))) return -1;
    json_t *reply;
    while ((reply = receive(d)) != NULL) {
        json_t *event = json_object_get(reply, "event");
        bootstrap_event e = {
            json_integer_value(json_object_get(event, "sequence")), text(event, "kind"), text(event, "id"), text(event, "at"), text(event, "reason"),
        };
        if (!happened(&e, context)) return 0;
    }
    return -1;
}
