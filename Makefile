.PHONY: help build test it dev fmt check
JAVA := JAVA_HOME=$$(bin/jdk25)

help: ## this list
	@grep -E '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

build: ## compile and package, no tests
	$(JAVA) mvn -q -ntp -DskipTests package

test: ## unit tests
	$(JAVA) mvn -q -ntp test

it: ## every test, unit to end to end
	./test

it-%: ## one integration test, such as make it-KillIT
	$(JAVA) mvn -q -ntp verify -Dspotless.check.skip=true -Dtest=NoUnitTest -Dsurefire.failIfNoSpecifiedTests=false \
	  -Dit.test=$* -Dfailsafe.failIfNoSpecifiedTests=false && bin/test-counts

dev: ## the all-in-one in the foreground
	./lamina up --data ./lamina-data

fmt: ## format the sources
	$(JAVA) mvn -q -ntp spotless:apply

check: ## formatting and compile checks, no tests
	$(JAVA) mvn -q -ntp -DskipTests verify
