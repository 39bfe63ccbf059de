package io.lamina.storage;

import java.time.Clock;

class InMemoryObjectStoreTest extends ObjectStoreContract {
  @Override
  ObjectStore openEmpty() {
    return new InMemoryObjectStore(Clock.systemUTC());
  }
}
