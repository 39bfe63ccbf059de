package io.lamina.standalone.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Where a command's results go: text for people, or JSON, one value a line, for machines. */
final class Output {
  static final ObjectMapper JSON = new ObjectMapper();

  @Spec(Spec.Target.MIXEE)
  CommandLine.Model.CommandSpec spec;

  @Option(names = "--json", description = "Print JSON for machines, one value a line.")
  boolean json;

  private Output(CommandLine.Model.CommandSpec spec) {
    this.spec = spec;
  }

  Output() {
    this(CommandLine.Model.CommandSpec.create());
  }

  boolean isJson() {
    return json;
  }

  /** A line for people; nothing in JSON mode. */
  void line(String text) {
    if (!json) {
      out().println(text);
    }
  }

  /** A value for machines; nothing in text mode. */
  void value(JsonNode node) {
    if (json) {
      try {
        out().println(JSON.writeValueAsString(node));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("a JSON tree can always be written", e);
      }
    }
  }

  /** Something on the side, on standard error, in both modes. */
  void note(String text) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(text);
    err.flush();
  }

  PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
