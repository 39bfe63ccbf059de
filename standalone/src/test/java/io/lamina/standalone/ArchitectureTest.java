package io.lamina.standalone;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of docs/architecture.md. */
@AnalyzeClasses(packages = "io.lamina", importOptions = ArchitectureTest.OnlyProduct.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule formatKnowsOnlyTheJdkAndSqlite =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.cvmfs..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages(
              "io.lamina.cvmfs..", "java..", "javax..", "org.sqlite..", "org.jspecify..");

  @ArchTest
  static final ArchRule imagesKnowNoOtherModule =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.image..")
          .should()
          .dependOnClassesThat(ofOtherModules("io.lamina.image.."));

  @ArchTest
  static final ArchRule systemCallsKnowOnlyTheJdk =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.linux..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages("io.lamina.linux..", "java..", "org.jspecify..");

  @ArchTest
  static final ArchRule layersKnowOnlySystemCallsAndImages =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.layers..")
          .should()
          .dependOnClassesThat(
              ofOtherModules("io.lamina.layers..", "io.lamina.linux..", "io.lamina.image.."));

  @ArchTest
  static final ArchRule layersKnowNoRegistries =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.layers..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.lamina.image.registry..", "io.lamina.image.internal..");

  @ArchTest
  static final ArchRule storageKnowsOnlySystemCalls =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.storage..")
          .should()
          .dependOnClassesThat(ofOtherModules("io.lamina.storage..", "io.lamina.linux.."));

  @ArchTest
  static final ArchRule repositoriesKnowOnlyFormatAndStorage =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.repository..")
          .should()
          .dependOnClassesThat(
              ofOtherModules("io.lamina.repository..", "io.lamina.cvmfs..", "io.lamina.storage.."));

  @ArchTest
  static final ArchRule theClientKnowsOnlyTheFormatAndTheSystem =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.client..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages(
              "io.lamina.client..",
              "io.lamina.cvmfs..",
              "io.lamina.linux..",
              "java..",
              "org.slf4j..",
              "org.jspecify..");

  @ArchTest
  static final ArchRule theFuseServerKnowsNoTrees =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.client.fuse")
          .should()
          .dependOnClassesThat(
              ofOtherModules(
                  "io.lamina.client.fuse",
                  "io.lamina.client.failure",
                  "io.lamina.linux",
                  "io.lamina.cvmfs"));

  @ArchTest
  static final ArchRule messagingKnowsOnlyValues =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.messaging..")
          .should()
          .dependOnClassesThat(
              ofOtherModules(
                  "io.lamina.messaging..",
                  "io.lamina.cvmfs",
                  "io.lamina.cvmfs.catalog",
                  "io.lamina.cvmfs.compression",
                  "io.lamina.image"));

  @ArchTest
  static final ArchRule theJournalKnowsNoProcess =
      noClasses()
          .that()
          .resideInAPackage("io.lamina.journal..")
          .should()
          .dependOnClassesThat(
              ofOtherModules(
                  "io.lamina.journal..",
                  "io.lamina.messaging..",
                  "io.lamina.repository..",
                  "io.lamina.image..",
                  "io.lamina.cvmfs..",
                  "io.lamina.storage.."));

  @ArchTest
  static final ArchRule processesDoNotKnowEachOther =
      slices()
          .matching("io.lamina.(gateway|converter|publisher|node)..")
          .should()
          .notDependOnEachOther();

  /** Another server of the same layers needs nothing of this one. */
  @ArchTest
  static final ArchRule theProtocolAndTheClientsOfANodeDoNotKnowEachOther =
      slices()
          .matching("io.lamina.node.(*)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(
              JavaClass.Predicates.resideInAnyPackage(
                  "io.lamina.node.events", "io.lamina.node.commit"),
              JavaClass.Predicates.resideInAPackage("io.lamina.node.gateway"))
          .ignoreDependency(
              DescribedPredicate.alwaysTrue(),
              JavaClass.Predicates.resideInAPackage("io.lamina.node.host"));

  @ArchTest
  static final ArchRule nobodyKnowsTheCommand =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.lamina.standalone..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.lamina.standalone..");

  @ArchTest
  static final ArchRule onlyMessagingSpeaksKafka =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.lamina.messaging..", "io.lamina.gateway.kafka", "io.lamina.standalone..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.kafka..");

  /** One place gives clients the operator's SASL and TLS; the probe has a test of its own. */
  @ArchTest
  static final ArchRule kafkaClientsAreMadeInOnePlace =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("io.lamina.messaging.KafkaClients")
          .and()
          .doNotHaveFullyQualifiedName("io.lamina.gateway.kafka.TopicProbe")
          .should()
          .callConstructorWhere(
              JavaCall.Predicates.target(
                  HasOwner.Predicates.With.owner(
                      HasName.Predicates.nameMatching(
                          "org\\.apache\\.kafka\\.clients\\..*\\.Kafka[A-Za-z]*"))))
          .orShould()
          .callMethodWhere(
              JavaCall.Predicates.target(
                      HasOwner.Predicates.With.owner(
                          HasName.Predicates.nameMatching(
                              "org\\.apache\\.kafka\\.clients\\.admin\\..*Admin.*")))
                  .and(JavaCall.Predicates.target(HasName.Predicates.name("create"))));

  @ArchTest
  static final ArchRule onlyTheServersSpeakVertx =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.lamina.gateway..",
              "io.lamina.node..",
              "io.lamina.status..",
              "io.lamina.standalone..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.vertx..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.lamina.(*).(*)..").should().beFreeOfCycles();

  /** Leaves out tests and the jars of test fixtures. */
  static final class OnlyProduct implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  private static DescribedPredicate<JavaClass> ofOtherModules(String... allowed) {
    return JavaClass.Predicates.resideInAPackage("io.lamina..")
        .and(JavaClass.Predicates.resideOutsideOfPackages(allowed));
  }
}
