import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node in the foreground, without the launcher, the keystore and the entitlements of the
 * distribution, which Maven Central does not have. Arguments: home folder, configuration folder.
 */
public final class ServerMain {
    private static final long STOP_SECONDS = 30;

    public static void main(String[] arguments) throws Exception {
        Settings home = Settings.builder().put("path.home", arguments[0]).build();
        Path configuration = Path.of(arguments[1]);
        LogConfigurator.registerErrorListener();
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(home, Map.of(), configuration, () -> "holdfast-test");
        LogConfigurator.setClusterName(environment.settings().get("cluster.name"));
        LogConfigurator.setNodeName(environment.settings().get("node.name"));
        LogConfigurator.configure(environment, true);

        Node node = new Node(environment, modulesOf(environment));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node), "stop"));
        try {
            node.start();
        } catch (Exception failure) {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
        Thread.currentThread().join(); // until a signal comes
    }

    private static PluginsLoader modulesOf(Environment environment) {
        return PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir(), false),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false),
            Map.of(),
            false);
    }

    private static void stop(Node node) {
        boolean stopped = false;
        try {
            node.close();
            stopped = node.awaitClose(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (Exception failure) {
            failure.printStackTrace();
        }
        Runtime.getRuntime().halt(stopped ? 0 : 1); // past the hooks of libraries that would wait for each other
    }
}
