/* Every call of the client, by hand: reads commands, as docs/discovery-api.md describes them under "Consoles". */
#define _GNU_SOURCE
#include "bootstrap_discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

static void print_service(const bootstrap_service *service) {
    printf("%s", service->id);
    for (size_t i = 0; i < service->param_count; i++) printf(" %s=%s", service->params[i].name, service->params[i].value);
}

static bool print_nodes(bootstrap_nodes *found) {
    if (found == NULL) return false;
    for (size_t i = 0; i < found->count; i++) {
        const bootstrap_node *node = &found->nodes[i];
        printf("%s %s %s %s/%s/%s", node->id, node->host_name, node->address, node->role, node->kind, node->instance);
        for (size_t j = 0; j < node->service_count; j++) {
            putchar(' ');
            print_service(&node->services[j]);
        }
        putchar('\n');
    }
    bootstrap_nodes_free(found);
    return true;
}

static bool print_services(bootstrap_service_list *found) {
    if (found == NULL) return false;
    for (size_t i = 0; i < found->count; i++) {
        print_service(&found->services[i]);
        putchar('\n');
    }
    bootstrap_service_list_free(found);
    return true;
}

static bool print_name(const char *name) {
    if (name == NULL) return false;
    puts(name);
    return true;
}

static bool print_event(const bootstrap_event *event, void *context) {
    (void)context;
    printf("%s %s\n", event->kind, event->id);
    return false;
}

/* False where the Slave refused it. */
static bool run(bootstrap_discovery *d, char *line) {
    const char *command = strtok(line, " \n"), *subject = "", *nodes[2] = { NULL }, *exclude[2] = { NULL };
    bootstrap_param params[MOST + 1] = { { NULL, NULL } };
    size_t param_count = 0;
    bootstrap_search search = BOOTSTRAP_SEARCH;
    for (char *word; (word = strtok(NULL, " \n")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL) {
            subject = word;
            continue;
        }
        *value++ = '\0';
        if (strcmp(word, "nodes") == 0) search.nodes = (nodes[0] = value, nodes);
        if (strcmp(word, "exclude") == 0) search.exclude = (exclude[0] = value, exclude);
        if (strcmp(word, "max_nodes") == 0) search.max_nodes = atoi(value);
        if (strcmp(word, "timeout") == 0) search.timeout = atoi(value);
        if (strcmp(word, "retries") == 0) search.retries = atoi(value);
        if (strcmp(word, "param") == 0 && param_count < MOST) {
            params[param_count].name = strsep(&value, ":");
            params[param_count++].value = value;
            search.params = params;
        }
    }
    if (command == NULL) return true;
    if (strcmp(command, "marco") == 0) return print_nodes(bootstrap_marco(d, &search));
    if (strcmp(command, "request_for") == 0) return print_nodes(bootstrap_request_for(d, subject, &search));
    if (strcmp(command, "services") == 0) return print_services(bootstrap_services(d, subject));
    if (strcmp(command, "publish") == 0) return print_name(bootstrap_publish(d, subject, search.params, NULL));
    if (strcmp(command, "unpublish") == 0) return print_name(bootstrap_unpublish(d, subject));
    if (strcmp(command, "watch") == 0) return bootstrap_watch(d, print_event, NULL) == 0;
    puts("error no such command");
    return true;
}

int main(int count, char **arguments) {
    bootstrap_discovery *d = bootstrap_connect(count > 1 ? arguments[1] : NULL);
    if (d == NULL) {
        perror("connecting to the Slave");
        return 1;
    }
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!run(d, line)) printf("error %s\n", bootstrap_error(d));
        puts(".");
        fflush(stdout);
    }
    bootstrap_close(d);
    return 0;
}
