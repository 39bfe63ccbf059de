package io.lamina.standalone.command;

import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar. */
final class LaminaVersion implements IVersionProvider {
  static String text() {
    String version = LaminaVersion.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {"lamina " + text(), "Java " + Runtime.version()};
  }
}
