package io.lamina.gateway;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Gateways of one test, closed after it. */
final class TestGateways implements AfterEachCallback {
  private final List<TestGateway> started = new ArrayList<>();

  TestGateway start(TestGateway.Setup setup) {
    TestGateway gateway = setup.start();
    started.add(gateway);
    return gateway;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    started.forEach(TestGateway::close);
  }
}
