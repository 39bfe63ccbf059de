package io.lamina.standalone;

import io.lamina.standalone.command.LaminaCommand;

/** Entry point of the {@code lamina} command. */
public final class LaminaMain {
  private LaminaMain() {}

  public static void main(String[] arguments) {
    System.exit(LaminaCommand.run(arguments));
  }
}
