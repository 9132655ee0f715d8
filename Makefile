# CI calls these targets too: see .ci/run.

.PHONY: run test fmt assets cluster cluster-clients vuln

run: ## start the server with its page
	go run ./cmd/surewire serve --dev

test: ## everything CI checks; installs Node, Chromium and npm packages where they are missing
	ci/test

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

assets: ## bundle the page of serve --dev into demo/dist
	ci/setup
	cd web && PATH="$(CURDIR)/.work/node/node_modules/.bin:$$PATH" npm run build

cluster: cluster-clients ## the engine's contract on three nodes; nodes killed and restarted, and cut off: some minutes
	go test ./natsengine -run 'Cluster|Node|Rolling|Killed|Network' -cluster -timeout 30m -v

cluster-clients: ## the same of three processes, seen by clients; CLUSTER_ROUNDS=10 kills as often
	ci/setup
	cd web && PATH="$(CURDIR)/.work/node/node_modules/.bin:$$PATH" node --test --test-reporter=spec test/cluster/*.test.mjs

vuln: ## known vulnerabilities of dependencies; needs the network
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...
