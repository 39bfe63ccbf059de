package io.lamina.layers;

/** One line of what the storage tells about itself, for people. */
public record StatusLine(String name, String value) {}
