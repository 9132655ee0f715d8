module lintcorpus

go 1.26.0

require (
	github.com/centrifugal/centrifuge v0.40.1
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/gorilla/websocket v1.5.3
	github.com/lxzan/gws v1.8.9
	github.com/olahol/melody v1.1.4
	golang.org/x/net v0.62.0
)

replace (
	github.com/centrifugal/centrifuge => ./stubs/centrifuge
	github.com/coder/websocket => ./stubs/coder
	github.com/gobwas/ws => ./stubs/gobwas
	github.com/gorilla/websocket => ./stubs/gorilla
	github.com/lxzan/gws => ./stubs/gws
	github.com/olahol/melody => ./stubs/melody
	golang.org/x/net => ./stubs/xnet
)
