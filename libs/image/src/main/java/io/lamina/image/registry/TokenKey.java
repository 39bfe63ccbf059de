package io.lamina.image.registry;

/** What a token is good for. */
record TokenKey(Origin origin, String scope, String user) {}
