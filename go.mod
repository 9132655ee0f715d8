module github.com/surewire/surewire

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/centrifugal/protocol v0.23.1
	github.com/gobwas/ws v1.5.0
	github.com/rogpeppe/go-internal v1.16.0
	go.uber.org/goleak v1.3.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	golang.org/x/sys v0.26.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
