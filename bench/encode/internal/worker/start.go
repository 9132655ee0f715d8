package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Start builds this command on the engine of v2 and starts it as a worker. The
// go command must be there, and the working directory in this module. The
// worker ends when stop is called.
func Start(ctx context.Context, stderr io.Writer) (c *Client, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "bench-encode-")
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	binary := filepath.Join(dir, "encode")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/surewire/surewire/bench/encode")
	build.Env = append(os.Environ(), "GOEXPERIMENT=jsonv2")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("%w: %.300s", err, text)
	}
	child := exec.CommandContext(ctx, binary, "-worker")
	child.Stderr = stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error { return errors.Join(in.Close(), child.Wait(), os.RemoveAll(dir)) }
	if c, err = NewClient(out, in); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return c, stop, nil
}
