package io.lamina.gateway;

import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.gateway.request.EventFeed;
import io.lamina.gateway.request.RequestLog;
import io.lamina.gateway.upload.RepositoryStores;
import io.lamina.messaging.DeadLetterOffice;
import java.util.Optional;

/**
 * What the composition root gives a gateway.
 *
 * @param log where accepted requests go
 * @param feed where statuses and transactions come from; closed by the gateway
 * @param deadLetters stays the caller's
 * @param directory if this process has the repositories' keys
 * @param stores the repositories' storages, for uploads and for files that are in no folder
 */
public record GatewayPorts(
    RequestLog log,
    EventFeed feed,
    DeadLetterOffice deadLetters,
    Optional<RepositoryDirectory> directory,
    RepositoryStores stores) {}
