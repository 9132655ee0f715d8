module github.com/surewire/surewire

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/centrifugal/protocol v0.23.1 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/ws v1.5.0 // indirect
	github.com/rogpeppe/go-internal v1.16.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
