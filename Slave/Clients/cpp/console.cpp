// Every call of the client, by hand: reads commands, as docs/discovery-api.md describes them under "Consoles".
#include "bootstrap_discovery.hpp"

#include <iostream>
#include <sstream>

using namespace bootstrap;

static void print(const Service &service) {
    std::cout << service.id;
    for (const auto &[name, value] : service.params) std::cout << ' ' << name << '=' << value;
}

static void print(const std::vector<Node> &nodes) {
    for (const Node &node : nodes) {
        std::cout << node.id << ' ' << node.host_name << ' ' << node.address << ' ' << node.role << '/' << node.kind << '/' << node.instance;
        for (const Service &service : node.services) {
            std::cout << ' ';
            print(service);
        }
        std::cout << '\n';
    }
}

static void run(Discovery &discovery, std::istringstream line) {
    std::string command, subject, word;
    Search search;
    line >> command;
    while (line >> word) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals), value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (equals == std::string::npos) subject = word;
        if (name == "nodes") search.nodes.push_back(value);
        if (name == "exclude") search.exclude.push_back(value);
        if (name == "max_nodes") search.max_nodes = std::stoi(value);
        if (name == "timeout") search.timeout = std::stoi(value);
        if (name == "retries") search.retries = std::stoi(value);
        if (name == "param") search.params[value.substr(0, value.find(':'))] = value.substr(value.find(':') + 1);
    }
    if (command == "marco") {
        print(discovery.marco(search));
    } else if (command == "request_for") {
        print(discovery.request_for(subject, search));
    } else if (command == "services") {
        for (const Service &service : discovery.services(subject)) {
            print(service);
            std::cout << '\n';
        }
    } else if (command == "publish") {
        std::cout << discovery.publish(subject, search.params) << '\n';
    } else if (command == "unpublish") {
        std::cout << discovery.unpublish(subject) << '\n';
    } else if (command == "watch") {
        discovery.watch([](const Event &event) {
            std::cout << event.kind << ' ' << event.id << '\n';
            return false;
        });
    } else {
        std::cout << "error no such command\n";
    }
}

int main(int count, char **arguments) try {
    Discovery discovery(count > 1 ? arguments[1] : default_socket);
    for (std::string line; std::getline(std::cin, line);) {
        try {
            run(discovery, std::istringstream(line));
        } catch (const DiscoveryError &error) {
            std::cout << "error " << error.what() << '\n';
        }
        std::cout << '.' << std::endl;
    }
} catch (const std::system_error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
