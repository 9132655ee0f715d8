module github.com/surewire/surewire/bench/lint

go 1.26.0

replace github.com/surewire/surewire/surevet => ../../surevet

tool (
	github.com/ashanbrown/forbidigo/v2
	github.com/breml/errchkjson/cmd/errchkjson
	github.com/surewire/surewire/surevet/cmd/surevet
	go-simpler.org/musttag/cmd/musttag
	honnef.co/go/tools/cmd/staticcheck
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/ashanbrown/forbidigo/v2 v2.3.1 // indirect
	github.com/breml/errchkjson v0.4.2 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/surewire/surewire/surevet v0.0.0 // indirect
	go-simpler.org/musttag v0.14.0 // indirect
	go.yaml.in/yaml/v3 v3.0.4 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)
