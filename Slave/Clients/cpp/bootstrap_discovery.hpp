// Discovery for C++17 programs of a node: docs/discovery-api.md tells what each call does and what limits there are.
//
// Header only; needs nlohmann/json. What a program published is withdrawn when its Discovery is destroyed, or when it dies.
// A connection is for one thread at a time.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bootstrap {

inline constexpr const char *default_socket = "/run/bootstrap/discovery.sock";

using Params = std::map<std::string, std::string>;

/// The Slave refused a request, or ended the connection; what() says why in one sentence.
class DiscoveryError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Service {
    std::string id;
    Params params;
};

/// A node that was found; proven: the appliance's CA vouches for it.
struct Node {
    std::string id, host_name, address, role, kind, instance;
    Params params;
    std::vector<Service> services;
    bool proven;
};

/// kind is Join, Identity, Change, Suspect, Alive or Leave; at is UTC in ISO 8601.
struct Event {
    long long sequence;
    std::string kind, id, at, reason;
};

/// What a search looks for; what is not set is as for everybody.
struct Search {
    std::vector<std::string> nodes;
    std::optional<int> max_nodes;
    std::vector<std::string> exclude;
    Params params;
    std::optional<int> timeout;  ///< Milliseconds.
    std::optional<int> retries;
    std::vector<std::string> meshes;
    std::optional<std::string> role, kind, instance;
};

/// A connection to the Slave.
class Discovery {
public:
    /// std::system_error where there is no Slave.
    explicit Discovery(const std::string &path = default_socket) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) {
            errno = ENAMETOOLONG;
        } else if (socket_ >= 0) {
            path.copy(address.sun_path, sizeof address.sun_path - 1);
            if (::connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) return;
        }
        std::system_error reason(errno, std::generic_category(), path);
        close();
        throw reason;
    }

    Discovery(Discovery &&other) noexcept
        : socket_(std::exchange(other.socket_, -1)), last_id_(other.last_id_), received_(std::move(other.received_)) {}
    Discovery(const Discovery &) = delete;
    Discovery &operator=(const Discovery &) = delete;
    ~Discovery() { close(); }

    /// Finds nodes.
    std::vector<Node> marco(const Search &search = {}) { return nodes(request("marco", search)); }

    /// Finds the nodes that offer a service.
    std::vector<Node> request_for(const std::string &service, const Search &search = {}) {
        nlohmann::json asked = request("request_for", search);
        asked["service"] = service;
        return nodes(std::move(asked));
    }

    /// All services of a node, given by id or host name.
    std::vector<Service> services(const std::string &node) {
        return services_of(ask({{"command", "services"}, {"nodes", nlohmann::json::array({node})}}).at("services"));
    }

    /// Offers a service as long as this connection lasts, and gives its name as others see it.
    std::string publish(const std::string &service, const Params &params = {}, const std::vector<std::string> &meshes = {}) {
        nlohmann::json asked{{"command", "publish"}, {"service", service}, {"params", params}};
        if (!meshes.empty()) asked["meshes"] = meshes;
        return ask(std::move(asked)).at("service");
    }

    /// Withdraws a service.
    std::string unpublish(const std::string &service) { return ask({{"command", "unpublish"}, {"service", service}}).at("service"); }

    /// Calls happened(event) for everything that happens to nodes, until that gives false. The connection can only be destroyed
    /// afterwards.
    template <typename Happened>
    void watch(Happened happened) {
        send({{"command", "watch"}});
        bool goes_on = true;
        while (goes_on) {
            const nlohmann::json reply = receive();
            const nlohmann::json &event = reply.at("event");
            goes_on = happened(Event{event.at("sequence"), event.at("kind"), event.at("id"), event.at("at"), event.at("reason")});
        }
    }

private:
    int socket_;
    long long last_id_ = 0;
    std::string received_;

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

    static nlohmann::json request(const char *command, const Search &search) {
        nlohmann::json asked{{"command", command}};
        const auto set = [&asked](const char *name, const auto &value) {
            if (value) asked[name] = *value;
        };
        const auto fill = [&asked](const char *name, const auto &values) {
            if (!values.empty()) asked[name] = values;
        };
        fill("nodes", search.nodes);
        set("maxNodes", search.max_nodes);
        fill("exclude", search.exclude);
        fill("params", search.params);
        set("timeout", search.timeout);
        set("retries", search.retries);
        fill("meshes", search.meshes);
        set("role", search.role);
        set("kind", search.kind);
        set("instance", search.instance);
        return asked;
    }

    std::vector<Node> nodes(nlohmann::json asked) {
        std::vector<Node> found;
        const nlohmann::json reply = ask(std::move(asked));
        for (const nlohmann::json &node : reply.at("nodes")) {
            const nlohmann::json &identity = node.at("identity");
            found.push_back({node.at("id"), node.at("hostName"), node.at("address"), identity.at("role"), identity.at("kind"),
                             identity.at("instance"), node.at("parameters"), services_of(node.at("services")), node.at("proven")});
        }
        return found;
    }

    static std::vector<Service> services_of(const nlohmann::json &array) {
        std::vector<Service> services;
        for (const nlohmann::json &service : array) services.push_back({service.at("id"), service.at("parameters")});
        return services;
    }

    nlohmann::json ask(nlohmann::json asked) {
        send(std::move(asked));
        return receive();
    }

    void send(nlohmann::json asked) {
        asked["v"] = 1;
        asked["id"] = ++last_id_;
        const std::string line = asked.dump() + "\n";
        for (size_t sent = 0; sent < line.size();) {
            // The Slave may be gone: that is an error, no signal.
            const ssize_t count = ::send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
            if (count >= 0) {
                sent += static_cast<size_t>(count);
            } else if (errno != EINTR) {
                throw DiscoveryError(std::generic_category().message(errno));
            }
        }
    }

    nlohmann::json receive() {
        size_t end;
        while ((end = received_.find('\n')) == std::string::npos) {
            char some[4096];
            const ssize_t count = ::read(socket_, some, sizeof some);
            if (count > 0) {
                received_.append(some, static_cast<size_t>(count));
            } else if (count == 0 || errno != EINTR) {
                throw DiscoveryError("the Slave ended the connection");
            }
        }
        const nlohmann::json reply = nlohmann::json::parse(received_.substr(0, end));
        received_.erase(0, end + 1);
        if (reply.contains("error")) throw DiscoveryError(reply.at("error").get<std::string>());
        return reply;
    }
};

}  // namespace bootstrap
