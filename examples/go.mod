module github.com/surewire/surewire/examples

go 1.26.0

require (
	github.com/gorilla/websocket v1.5.3
	github.com/surewire/surewire v0.0.0
)

require (
	github.com/centrifugal/protocol v0.23.1 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/ws v1.5.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/surewire/surewire => ../
