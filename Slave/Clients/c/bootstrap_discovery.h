/* Discovery for C programs of a node: docs/discovery-api.md tells what each call does and what limits there are.
 *
 * All text is UTF-8. A connection is for one thread at a time. What a program published is withdrawn when its connection is
 * closed, or when it dies. */
#ifndef BOOTSTRAP_DISCOVERY_H
#define BOOTSTRAP_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the Slave listens. */
#define BOOTSTRAP_SOCKET "/run/bootstrap/discovery.sock"

typedef struct bootstrap_discovery bootstrap_discovery;

/* A parameter. Lists of them that are given to a function end with { NULL, NULL }. */
typedef struct {
    const char *name, *value;
} bootstrap_param;

typedef struct {
    const char *id;
    const bootstrap_param *params;
    size_t param_count;
} bootstrap_service;

typedef struct {
    const char *id, *host_name, *address, *role, *kind, *instance;
    const bootstrap_param *params;
    size_t param_count;
    const bootstrap_service *services;
    size_t service_count;
    bool proven; /* The appliance's CA vouches for it. */
} bootstrap_node;

/* One event of bootstrap_watch. */
typedef struct {
    long long sequence;
    const char *kind;   /* "Join", "Identity", "Change", "Suspect", "Alive" or "Leave" */
    const char *id;     /* the node's */
    const char *at;     /* UTC, ISO 8601 */
    const char *reason; /* for people */
} bootstrap_event;

/* What a search looks for. Lists end with NULL; what is NULL or BOOTSTRAP_DEFAULT is as for everybody.
 * Begin with: bootstrap_search search = BOOTSTRAP_SEARCH; */
typedef struct {
    const char *const *nodes;
    int max_nodes;
    const char *const *exclude;
    const bootstrap_param *params;
    int timeout; /* milliseconds */
    int retries;
    const char *const *meshes;
    const char *role, *kind, *instance;
} bootstrap_search;

#define BOOTSTRAP_DEFAULT (-1)
#define BOOTSTRAP_SEARCH { NULL, BOOTSTRAP_DEFAULT, NULL, NULL, BOOTSTRAP_DEFAULT, BOOTSTRAP_DEFAULT, NULL, NULL, NULL, NULL }

/* Answers: an array and its length, to be freed as a whole. */
typedef struct {
    const bootstrap_node *nodes;
    size_t count;
} bootstrap_nodes;

typedef struct {
    const bootstrap_service *services;
    size_t count;
} bootstrap_service_list;

/* Connects. path may be NULL: BOOTSTRAP_SOCKET. Gives NULL with errno set where there is no Slave. */
bootstrap_discovery *bootstrap_connect(const char *path);
void bootstrap_close(bootstrap_discovery *);

/* In one sentence why the last call failed; valid until the next call. */
const char *bootstrap_error(const bootstrap_discovery *);

/* Find nodes. search may be NULL: all of them. NULL on failure. */
bootstrap_nodes *bootstrap_marco(bootstrap_discovery *, const bootstrap_search *search);
bootstrap_nodes *bootstrap_request_for(bootstrap_discovery *, const char *service, const bootstrap_search *search);
void bootstrap_nodes_free(bootstrap_nodes *);

/* All services of a node, given by id or host name. NULL on failure. */
bootstrap_service_list *bootstrap_services(bootstrap_discovery *, const char *node);
void bootstrap_service_list_free(bootstrap_service_list *);

/* Offer and withdraw a service. params and meshes may be NULL. The name as others see it, valid until the next call; NULL on failure. */
const char *bootstrap_publish(bootstrap_discovery *, const char *service, const bootstrap_param *params, const char *const *meshes);
const char *bootstrap_unpublish(bootstrap_discovery *, const char *service);

/* Calls back for everything that happens to nodes until the function gives false (then 0 is returned) or the connection
 * ends (-1). The connection can only be closed afterwards. */
int bootstrap_watch(bootstrap_discovery *, bool (*happened)(const bootstrap_event *, void *context), void *context);

#ifdef __cplusplus
}
#endif
#endif
