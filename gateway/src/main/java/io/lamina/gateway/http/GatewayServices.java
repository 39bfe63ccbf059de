package io.lamina.gateway.http;

import io.lamina.gateway.access.AccessPolicy;
import io.lamina.gateway.live.LiveEvents;
import io.lamina.gateway.repository.Journal;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.gateway.request.Readiness;
import io.lamina.gateway.request.StatusTable;
import io.lamina.gateway.request.Submissions;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.gateway.stratum.StratumFiles;
import io.lamina.gateway.upload.LayerUploads;
import io.lamina.gateway.webhook.Webhooks;
import io.lamina.messaging.DeadLetterOffice;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** All that the HTTP edge calls; each is thread-safe. Immutable. */
public record GatewayServices(
    GatewaySettings settings,
    AccessPolicy access,
    Submissions submissions,
    StatusTable table,
    Journal journal,
    LiveEvents live,
    LayerUploads uploads,
    Webhooks webhooks,
    DeadLetterOffice deadLetters,
    Optional<RepositoryDirectory> directory,
    StratumFiles stratum,
    Readiness readiness,
    PrometheusMeterRegistry metrics,
    RandomGenerator random) {}
