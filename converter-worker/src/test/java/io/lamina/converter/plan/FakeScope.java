package io.lamina.converter.plan;

import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** Notes what a handler commits. Thread-safe. */
final class FakeScope implements PartitionScope {
  final List<Outgoing> events = Collections.synchronizedList(new ArrayList<>());
  final List<Long> done = Collections.synchronizedList(new ArrayList<>());
  final List<String> letters = Collections.synchronizedList(new ArrayList<>());
  final AtomicBoolean stopping = new AtomicBoolean();

  @Override
  public int partition() {
    return 0;
  }

  @Override
  public void commit(List<Outgoing> toWrite) {
    throw new UnsupportedOperationException("the offset may not pass what is under way");
  }

  @Override
  public void commit(List<Outgoing> toWrite, Collection<Received.Position> finished) {
    events.addAll(toWrite);
    finished.forEach(position -> done.add(position.offset()));
  }

  @Override
  public void confirmOwnership() {
    throw new UnsupportedOperationException("planners change nothing outside Kafka");
  }

  @Override
  public void setAside(Received record, Throwable cause) {
    letters.add(record.position().offset() + ": " + cause.getMessage());
  }

  @Override
  public Map<String, Received> restore(Topic topic) {
    return Map.of();
  }

  @Override
  public boolean isStopping() {
    return stopping.get();
  }
}
