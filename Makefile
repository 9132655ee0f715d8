# CI calls these targets too: see .ci/run.

.PHONY: run test fmt assets

run: ## start the server with its page
	go run ./cmd/surewire serve --dev

test: ## everything CI checks; installs Node, Chromium and npm packages where they are missing
	ci/test

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

assets: ## bundle the page of serve --dev into demo/dist
	ci/setup
	cd web && PATH="$(CURDIR)/.work/node/node_modules/.bin:$$PATH" npm run build
