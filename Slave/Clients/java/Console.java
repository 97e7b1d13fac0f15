import bootstrap.discovery.Discovery;
import bootstrap.discovery.Discovery.DiscoveryException;
import bootstrap.discovery.Discovery.Node;
import bootstrap.discovery.Discovery.Search;
import bootstrap.discovery.Discovery.Service;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Every call of the client, by hand: reads commands, as docs/discovery-api.md describes them under "Consoles". */
final class Console {
    public static void main(String[] arguments) throws IOException {
        try (Discovery discovery = arguments.length > 0 ? new Discovery(arguments[0]) : new Discovery()) {
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                try {
                    run(discovery, line.split(" "));
                } catch (DiscoveryException e) {
                    System.out.println("error " + e.getMessage());
                }
                System.out.println(".");
            }
        }
    }

    private static void run(Discovery discovery, String[] words) throws IOException {
        String subject = words.length > 1 && words[1].indexOf('=') < 0 ? words[1] : "";
        Search search = new Search();
        Map<String, String> params = new TreeMap<>();
        for (String word : words) {
            String[] option = word.split("=", 2);
            switch (option[0]) {
                case "nodes" -> search.nodes(option[1]);
                case "max_nodes" -> search.max_nodes(Integer.parseInt(option[1]));
                case "exclude" -> search.exclude(option[1]);
                case "timeout" -> search.timeout(Integer.parseInt(option[1]));
                case "retries" -> search.retries(Integer.parseInt(option[1]));
                case "param" -> params.put(option[1].split(":", 2)[0], option[1].split(":", 2)[1]);
                default -> { }
            }
        }
        if (!params.isEmpty()) {
            search.params(params);
        }
        switch (words[0]) {
            case "marco" -> print(discovery.marco(search));
            case "request_for" -> print(discovery.request_for(subject, search));
            case "services" -> discovery.services(subject).forEach(service -> System.out.println(text(service)));
            case "publish" -> System.out.println(discovery.publish(subject, params));
            case "unpublish" -> System.out.println(discovery.unpublish(subject));
            case "watch" -> discovery.watch(event -> {
                System.out.println(event.kind() + " " + event.id());
                return false;
            });
            default -> System.out.println("error no such command");
        }
    }

    private static void print(List<Node> nodes) {
        for (Node node : nodes) {
            System.out.print(node.id() + " " + node.host_name() + " " + node.address() + " " + node.role() + "/" + node.kind() + "/" + node.instance());
            node.services().forEach(service -> System.out.print(" " + text(service)));
            System.out.println();
        }
    }

    private static String text(Service service) {
        StringBuilder text = new StringBuilder(service.id());
        service.params().forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
        return text.toString();
    }
}
