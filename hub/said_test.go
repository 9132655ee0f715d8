package hub_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/wire"
)

// said is a reply or push in few words, for comparisons.
func said(r wire.Reply) string {
	if r.Push {
		return pushed(r)
	}
	what := "ok"
	switch {
	case r.Ping():
		return "ping"
	case r.Error != nil:
		what = fmt.Sprint("error ", r.Error.Code)
	case r.Connected != nil:
		what = "connected" + string(r.Connected.Data)
		for _, channel := range slices.Sorted(maps.Keys(r.Connected.Subs)) {
			s := r.Connected.Subs[channel]
			what += " " + channel + placed(&s)
		}
	case r.Subscribed != nil:
		what = "subscribed" + placed(r.Subscribed)
	case r.Presence != nil:
		what = "present"
		for _, one := range slices.SortedFunc(maps.Values(r.Presence), func(a, b surewire.ClientInfo) int { return cmp.Compare(a.User, b.User) }) {
			what += fmt.Sprintf(" %s%s%s", one.User, one.Conn, one.Chan)
		}
	case r.Stats != nil:
		what = fmt.Sprintf("%d clients %d users", r.Stats.Clients, r.Stats.Users)
	case r.History != nil:
		what = fmt.Sprintf("history of %d:%s", r.History.Head.Offset, offsets(r.History.Messages))
	case r.Refreshed != nil:
		what = fmt.Sprintf("refreshed %v", r.Refreshed.TTL)
	case r.Data != nil:
		what = string(r.Data)
	}
	return fmt.Sprintf("#%d %s", r.ID, what)
}

func pushed(r wire.Reply) string {
	switch {
	case r.Publication != nil && r.Publication.Kind != surewire.KindData:
		i := r.Publication.Info
		return fmt.Sprintf("%s %v %s%s%s", r.Channel, r.Publication.Kind, i.User, i.Conn, i.Chan)
	case r.Publication != nil && r.Publication.Ephemeral:
		return fmt.Sprintf("%s:~ %s", r.Channel, r.Publication.Data)
	case r.Publication != nil:
		return fmt.Sprintf("%s:%d %s", r.Channel, r.Publication.Position.Offset, r.Publication.Data)
	case r.Ended != nil:
		return fmt.Sprintf("%s ended %d", r.Channel, r.Ended.Code)
	case r.Subscribed != nil:
		return fmt.Sprintf("%s begun@%d%s", r.Channel, r.Subscribed.Position.Offset, r.Subscribed.Data)
	case r.Refreshed != nil:
		return fmt.Sprintf("expires %v", r.Refreshed.TTL)
	case r.Data != nil:
		return "message " + string(r.Data)
	}
	return fmt.Sprintf("%+v", r)
}

func placed(s *wire.Subscribed) string {
	out := fmt.Sprintf("@%d%s", s.Position.Offset, s.Data)
	if s.WasRecovering {
		out += map[bool]string{true: "+", false: "-"}[s.Recovered]
	}
	if len(s.Publications) > 0 {
		out += offsets(s.Publications)
	}
	return out
}

func offsets(messages []*surewire.Message) string {
	all := []uint64{}
	for _, m := range messages {
		all = append(all, m.Position.Offset)
	}
	return fmt.Sprint(all)
}

// heard returns all that has come when nothing moves any more. It is for bubbles.
func (p *peer) heard() (all []string) {
	synctest.Wait()
	for {
		p.mu.Lock()
		more := len(p.buf) > 0
		p.mu.Unlock()
		if !more {
			return all
		}
		r, ok := p.next()
		if !ok {
			return all
		}
		all = append(all, said(r))
	}
}

// wantHeard checks what has come.
func (p *peer) wantHeard(t *testing.T, want ...string) {
	t.Helper()
	if got := p.heard(); !slices.Equal(got, want) {
		t.Errorf("heard\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// sends sends frames as they are, each line a command.
func (p *peer) sends(commands ...string) { p.sendRaw([]byte(strings.Join(commands, "\n"))) }
