package io.lamina.standalone.bench;

/** What is already there when a tree is read. */
public enum MountState {
  COLD("cold", "an empty cache; everything comes from the server"),
  WARM("warm", "a full cache and a new mount, of which the kernel knows nothing yet"),
  HOT("hot", "the same mount once more");

  private final String label;
  private final String description;

  MountState(String label, String description) {
    this.label = label;
    this.description = description;
  }

  public String label() {
    return label;
  }

  public String description() {
    return description;
  }
}
