package io.lamina.node.graphdriver;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The calls of the protocol. Source: docs/protocol/graphdriver.md, "Calls". */
enum DriverCall {
  ACTIVATE("/Plugin.Activate"),
  INIT("/GraphDriver.Init"),
  CAPABILITIES("/GraphDriver.Capabilities"),
  CREATE("/GraphDriver.Create"),
  CREATE_READ_WRITE("/GraphDriver.CreateReadWrite"),
  REMOVE("/GraphDriver.Remove"),
  GET("/GraphDriver.Get"),
  PUT("/GraphDriver.Put"),
  EXISTS("/GraphDriver.Exists"),
  STATUS("/GraphDriver.Status"),
  METADATA("/GraphDriver.GetMetadata"),
  CLEANUP("/GraphDriver.Cleanup"),
  APPLY_DIFF("/GraphDriver.ApplyDiff"),
  DIFF("/GraphDriver.Diff"),
  CHANGES("/GraphDriver.Changes"),
  DIFF_SIZE("/GraphDriver.DiffSize");

  private static final Map<String, DriverCall> BY_PATH =
      Arrays.stream(values()).collect(Collectors.toMap(DriverCall::path, Function.identity()));

  private final String path;

  DriverCall(String path) {
    this.path = path;
  }

  String path() {
    return path;
  }

  /** Without the group, for messages. */
  String word() {
    return path.substring(path.indexOf('.') + 1);
  }

  static Optional<DriverCall> of(String path) {
    return Optional.ofNullable(BY_PATH.get(path));
  }
}
