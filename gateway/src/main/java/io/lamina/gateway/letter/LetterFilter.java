package io.lamina.gateway.letter;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.messaging.DeadLetter;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which dead letters are wanted; only those that the caller may see are. What cannot be read could
 * be anybody's, so that only who may use all repositories sees it. Immutable.
 */
public record LetterFilter(
    Caller caller, Optional<String> topic, Optional<RepositoryName> repository)
    implements Predicate<DeadLetter> {

  @Override
  public boolean test(DeadLetter letter) {
    return maySee(caller, letter)
        && topic.map(t -> t.equals(letter.original().topic())).orElse(true)
        && repository.map(r -> letter.repository().equals(Optional.of(r))).orElse(true);
  }

  /** Whether the letter is of a repository that the caller may use. */
  public static boolean maySee(Caller caller, DeadLetter letter) {
    return letter.repository().map(caller::mayUse).orElse(caller.repositories().isEmpty());
  }
}
