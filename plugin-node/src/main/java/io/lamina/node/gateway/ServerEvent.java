package io.lamina.node.gateway;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * One server-sent event. Immutable as long as nobody changes its data.
 *
 * @param kind such as {@code published}
 * @param id to come back with; empty if the gateway sent none
 * @param data a JSON object
 */
public record ServerEvent(String kind, String id, JsonNode data) {}
