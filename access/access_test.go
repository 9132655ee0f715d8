package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/surejson"
)

// ask returns what a says to each question.
func ask(a access.Authorizer) (connect, subscribe, allow error) {
	_, connect = a.Connect(context.Background(), access.ConnectRequest{})
	_, subscribe = a.Subscribe(context.Background(), access.Client{}, access.SubscribeRequest{})
	return connect, subscribe, a.Allow(context.Background(), access.Client{}, access.ActionRequest{Action: access.Publish, Channel: "c"})
}

func TestFuncsThatAreNilRefuse(t *testing.T) {
	for i, err := range errorsOf(access.Funcs{}) {
		if err == nil {
			t.Errorf("question %d was answered with yes", i)
		}
	}
	no := errors.New("no")
	all := access.Funcs{
		OnConnect: func(context.Context, access.ConnectRequest) (access.Session, error) { return access.Session{}, no },
		OnSubscribe: func(context.Context, access.Client, access.SubscribeRequest) (access.Grant, error) {
			return access.Grant{}, no
		},
		OnAllow: func(context.Context, access.Client, access.ActionRequest) error { return no },
	}
	for i, err := range errorsOf(all) {
		if err != no {
			t.Errorf("question %d was not asked: %v", i, err)
		}
	}
}

func TestAllowAll(t *testing.T) {
	for i, err := range errorsOf(access.AllowAll{}) {
		if err != nil {
			t.Errorf("question %d: %v", i, err)
		}
	}
	for _, joins := range []bool{false, true} {
		g, _ := access.AllowAll{Joins: joins}.Subscribe(context.Background(), access.Client{}, access.SubscribeRequest{})
		if !g.Presence || g.Joins != joins {
			t.Errorf("with joins %v the grant is %+v", joins, g)
		}
	}
}

func errorsOf(a access.Authorizer) [3]error {
	connect, subscribe, allow := ask(a)
	return [3]error{connect, subscribe, allow}
}

func TestActionsTravelByName(t *testing.T) {
	all := []access.Action{access.Publish, access.Presence, access.History, 0, 77}
	const want = `["publish","presence","history","Action(0)","Action(77)"]`
	if got, report := surejson.Marshal(all); string(got) != want || !report.Clean() {
		t.Errorf("surejson: %s, %v", got, report.Err())
	}
	if got, err := json.Marshal(all); string(got) != want {
		t.Errorf("encoding/json: %s, %v", got, err)
	}
}
