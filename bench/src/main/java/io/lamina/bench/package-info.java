/**
 * Inner loops, measured by JMH: {@code ./lamina jmh}. Source: docs/benchmarks.md, "Inner loops".
 */
@NullMarked
package io.lamina.bench;

import org.jspecify.annotations.NullMarked;
