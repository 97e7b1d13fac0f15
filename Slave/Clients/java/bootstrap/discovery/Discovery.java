package bootstrap.discovery;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A connection to the Slave: discovery for Java programs of a node. docs/discovery-api.md tells what each call does and what limits
 * there are; methods have the names that they have in all languages.
 *
 * <p>What a program published is withdrawn when its connection is closed, or when it dies. A connection is for one thread at a time.
 */
public final class Discovery implements AutoCloseable {
    /** Where the Slave listens. */
    public static final String SOCKET = "/run/bootstrap/discovery.sock";

    private static final int VERSION = 1;

    private final SocketChannel channel;
    private final BufferedReader replies;
    private final Gson gson = new Gson();
    private long lastId;

    /** The Slave refused a request, or ended the connection; the message says why in one sentence. */
    public static final class DiscoveryException extends IOException {
        private static final long serialVersionUID = 1;

        DiscoveryException(String message) {
            super(message);
        }
    }

    /** Something that a node offers. */
    public record Service(String id, Map<String, String> params) {}

    /** A node that was found; proven: the appliance's CA vouches for it. */
    public record Node(String id, String host_name, String address, String role, String kind, String instance,
            Map<String, String> params, List<Service> services, boolean proven) {}

    /** Kind is Join, Identity, Change, Suspect, Alive or Leave; at is UTC in ISO 8601. */
    public record Event(long sequence, String kind, String id, String at, String reason) {}

    /** What a search looks for; what is not set is as for everybody. */
    public static final class Search {
        private final JsonObject fields = new JsonObject();

        public Search nodes(String... names) {
            return set("nodes", names);
        }

        public Search max_nodes(int count) {
            return set("maxNodes", count);
        }

        public Search exclude(String... names) {
            return set("exclude", names);
        }

        public Search params(Map<String, String> params) {
            return set("params", params);
        }

        /** In milliseconds. */
        public Search timeout(int milliseconds) {
            return set("timeout", milliseconds);
        }

        public Search retries(int count) {
            return set("retries", count);
        }

        public Search meshes(String... names) {
            return set("meshes", names);
        }

        public Search role(String role) {
            return set("role", role);
        }

        public Search kind(String kind) {
            return set("kind", kind);
        }

        public Search instance(String instance) {
            return set("instance", instance);
        }

        private Search set(String name, Object value) {
            fields.add(name, new Gson().toJsonTree(value));
            return this;
        }
    }

    /** Connects to the Slave of this machine. */
    public Discovery() throws IOException {
        this(SOCKET);
    }

    /** Connects to a Slave that listens elsewhere. */
    public Discovery(String path) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
        replies = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
    }

    /** Finds all nodes. */
    public List<Node> marco() throws IOException {
        return marco(new Search());
    }

    /** Finds nodes. */
    public List<Node> marco(Search search) throws IOException {
        return nodes(ask("marco", search.fields.deepCopy()));
    }

    /** Finds the nodes that offer a service. */
    public List<Node> request_for(String service) throws IOException {
        return request_for(service, new Search());
    }

    /** Finds the nodes that offer a service, and are what the search says. */
    public List<Node> request_for(String service, Search search) throws IOException {
        JsonObject request = search.fields.deepCopy();
        request.addProperty("service", service);
        return nodes(ask("request_for", request));
    }

    /** All services of a node, given by id or host name. */
    public List<Service> services(String node) throws IOException {
        return services(ask("services", new Search().nodes(node).fields).get("services"));
    }

    /** Offers a service in all meshes of this node. */
    public String publish(String service, Map<String, String> params) throws IOException {
        return publish(service, params, List.of());
    }

    /** Offers a service as long as this connection lasts, and gives its name as others see it. */
    public String publish(String service, Map<String, String> params, List<String> meshes) throws IOException {
        JsonObject request = new JsonObject();
        request.addProperty("service", service);
        request.add("params", gson.toJsonTree(params));
        if (!meshes.isEmpty()) {
            request.add("meshes", gson.toJsonTree(meshes));
        }
        return ask("publish", request).get("service").getAsString();
    }

    /** Withdraws a service. */
    public String unpublish(String service) throws IOException {
        JsonObject request = new JsonObject();
        request.addProperty("service", service);
        return ask("unpublish", request).get("service").getAsString();
    }

    /** Tells everything that happens to nodes, until told false. The connection can only be closed afterwards. */
    public void watch(Predicate<Event> happened) throws IOException {
        send("watch", new JsonObject());
        while (happened.test(gson.fromJson(receive().get("event"), Event.class))) {
            // The next one.
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private JsonObject ask(String command, JsonObject request) throws IOException {
        send(command, request);
        return receive();
    }

    private void send(String command, JsonObject request) throws IOException {
        request.addProperty("v", VERSION);
        request.addProperty("id", ++lastId);
        request.addProperty("command", command);
        ByteBuffer line = StandardCharsets.UTF_8.encode(gson.toJson(request) + "\n");
        try {
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw new DiscoveryException("the Slave ended the connection: " + e.getMessage());
        }
    }

    private JsonObject receive() throws IOException {
        String line = replies.readLine();
        if (line == null) {
            throw new DiscoveryException("the Slave ended the connection");
        }
        JsonObject reply = JsonParser.parseString(line).getAsJsonObject();
        if (reply.has("error")) {
            throw new DiscoveryException(reply.get("error").getAsString());
        }
        return reply;
    }

    private static List<Node> nodes(JsonObject reply) {
        List<Node> nodes = new ArrayList<>();
        for (JsonElement element : reply.getAsJsonArray("nodes")) {
            JsonObject node = element.getAsJsonObject();
            JsonObject identity = node.getAsJsonObject("identity");
            nodes.add(new Node(text(node, "id"), text(node, "hostName"), text(node, "address"), text(identity, "role"), text(identity, "kind"),
                    text(identity, "instance"), params(node), services(node.get("services")), node.get("proven").getAsBoolean()));
        }
        return nodes;
    }

    private static List<Service> services(JsonElement array) {
        List<Service> services = new ArrayList<>();
        for (JsonElement element : array.getAsJsonArray()) {
            services.add(new Service(text(element.getAsJsonObject(), "id"), params(element.getAsJsonObject())));
        }
        return services;
    }

    private static Map<String, String> params(JsonObject described) {
        Map<String, String> params = new TreeMap<>();
        described.getAsJsonObject("parameters").entrySet().forEach(entry -> params.put(entry.getKey(), entry.getValue().getAsString()));
        return params;
    }

    private static String text(JsonObject object, String name) {
        return object.get(name).getAsString();
    }
}
