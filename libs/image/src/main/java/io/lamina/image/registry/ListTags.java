package io.lamina.image.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads one page of a repository's tags.
 *
 * @param next where the page before said that this one is; nothing for the first
 */
record ListTags(Optional<URI> next, Timeouts timeouts) implements RegistryAction<ListTags.Page> {
  private static final int PAGE = 1000;
  private static final int MAX_BYTES = 8 << 20;
  private static final Pattern LINK =
      Pattern.compile(
          "<([^<>]{1,4000})>\\s*;[^,]*\\brel\\s*=\\s*\"?next\"?", Pattern.CASE_INSENSITIVE);

  /** Some tags, and where more are. */
  record Page(List<String> tags, Optional<URI> next) {}

  @Override
  public String what() {
    return "list of tags";
  }

  @Override
  public URI uri(Endpoint endpoint, String repository) {
    return next.orElseGet(() -> endpoint.resolve(repository, "/tags/list?n=" + PAGE));
  }

  @Override
  public Set<Integer> statuses() {
    return Set.of(200);
  }

  @Override
  public Page handle(HttpAnswer answer) throws IOException {
    ObjectNode json;
    try {
      json = StrictJson.parseObject(answer.readBody(MAX_BYTES, timeouts.document()));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new ImageException.Rejected("the list of tags is not valid JSON", e);
    }
    List<String> tags = new ArrayList<>();
    for (JsonNode tag : json.path("tags")) {
      if (tag.isTextual()) {
        tags.add(tag.textValue());
      }
    }
    return new Page(tags, nextPage(answer));
  }

  private static Optional<URI> nextPage(HttpAnswer answer) {
    for (String link : answer.headers().allValues("Link")) {
      Matcher matcher = LINK.matcher(link);
      if (matcher.find()) {
        URI target = resolve(answer.uri(), matcher.group(1));
        Origin own = Origin.of(answer.uri());
        boolean isOwn =
            own.host().equals(Origin.of(target).host())
                && answer.uri().getPath().equals(target.getPath());
        if (!isOwn || target.getRawQuery() == null) {
          throw new ImageException.Rejected(
              "the next page of the tags lies elsewhere: " + Quoted.place(link));
        }
        // Only the query is taken over, since proxies often state the wrong scheme or port.
        return Optional.of(
            URI.create(
                answer.uri().getScheme()
                    + "://"
                    + answer.uri().getRawAuthority()
                    + answer.uri().getRawPath()
                    + "?"
                    + target.getRawQuery()));
      }
    }
    return Optional.empty();
  }

  private static URI resolve(URI base, String link) {
    try {
      // URI.resolve drops the last component when a link is a query alone.
      URI target = base.resolve(link.startsWith("?") ? base.getRawPath() + link : link);
      if (target.getHost() != null && target.getScheme() != null) {
        return target;
      }
    } catch (IllegalArgumentException e) {
      // Reported below.
    }
    throw new ImageException.Rejected("the next page of the tags is no URL: " + Quoted.of(link));
  }
}
