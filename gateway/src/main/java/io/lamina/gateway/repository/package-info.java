/** Repositories and their revisions as callers see them. */
@NullMarked
package io.lamina.gateway.repository;

import org.jspecify.annotations.NullMarked;
