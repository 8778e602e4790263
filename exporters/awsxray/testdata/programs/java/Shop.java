import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

/** Throws, and writes what OpenTelemetry's SDK records of it: a JSON line for each exception. */
public class Shop {
  interface Scenario {
    void run() throws Throwable;
  }

  static class Declined extends RuntimeException {
    Declined(String message, Throwable cause) {
      super(message, cause);
    }
  }

  static class Till implements AutoCloseable {
    void pay() {
      throw new Declined("card: declined", null);
    }

    @Override
    public void close() {
      throw new IllegalStateException("the till is stuck\n\tat first sight");
    }
  }

  record Item(String name) {
    int price() {
      return Integer.parseInt(name);
    }
  }

  static int total(List<Item> items) {
    return items.stream().map(Item::price).collect(Collectors.summingInt(price -> price));
  }

  static void caused() {
    try {
      total(List.of(new Item("a: b")));
    } catch (NumberFormatException error) {
      throw new Declined("cannot price", error);
    }
  }

  static void threeDeep() {
    try {
      caused();
    } catch (Declined error) {
      throw new IllegalStateException(error);
    }
  }

  static void recursion() {
    recursion();
  }

  static void circular() {
    Exception first = new Exception("first");
    Exception second = new Exception("second", first);
    first.initCause(second);
    throw new Declined("circular", first);
  }

  static void withoutFrames() {
    Throwable bare = new Throwable(null, null, false, false) {};
    throw new Declined("outer", new IllegalStateException("middle", bare));
  }

  static void causedAndSuppressed() throws Exception {
    Exception suppressed = new Exception("suppressed", new IllegalArgumentException("why: so"));
    Exception error = new Exception("caused and suppressed", new Exception("the cause\nin two lines"));
    error.addSuppressed(suppressed);
    throw error;
  }

  public static void main(String[] arguments) throws Throwable {
    InMemorySpanExporter exporter = InMemorySpanExporter.create();
    SdkTracerProvider provider =
        SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(exporter)).build();
    Tracer tracer = provider.get("shop");
    Map<String, Scenario> scenarios = new java.util.LinkedHashMap<>();
    scenarios.put("plain", () -> total(List.of(new Item(null))));
    scenarios.put("caused", Shop::caused);
    scenarios.put("three_deep", Shop::threeDeep);
    scenarios.put("suppressed", () -> {
      try (Till till = new Till()) {
        till.pay();
      }
    });
    scenarios.put("caused_and_suppressed", Shop::causedAndSuppressed);
    scenarios.put("circular", Shop::circular);
    scenarios.put("without_frames", Shop::withoutFrames);
    scenarios.put("recursion", Shop::recursion);
    scenarios.put("reflected", () -> Item.class.getDeclaredMethod("price").invoke(new Item("")));
    scenarios.put("asynchronous", () -> CompletableFuture.supplyAsync(() -> total(List.of(new Item("x")))).get());
    scenarios.put("native", () -> Class.forName("shop.Nothing"));
    for (Map.Entry<String, Scenario> scenario : scenarios.entrySet()) {
      Span span = tracer.spanBuilder(scenario.getKey()).startSpan();
      try {
        scenario.getValue().run();
      } catch (Throwable error) {
        span.recordException(error);
      }
      span.end();
    }
    for (SpanData span : exporter.getFinishedSpanItems()) {
      EventData event = span.getEvents().get(0);
      StringBuilder line = new StringBuilder("{\"scenario\":" + quoted(span.getName()));
      event.getAttributes().forEach((key, value) ->
          line.append(",").append(quoted(key.getKey().replaceFirst("exception.", ""))).append(":").append(quoted("" + value)));
      System.out.println(line.append("}"));
    }
  }

  static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + "\"";
  }
}
