package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/server/internal/body"
	"github.com/surewire/surewire/surejson"
	"github.com/surewire/surewire/wire"
)

// The requests and results are those of Centrifugo's HTTP API, in its words.

// content is what is published.
type content struct {
	Data           json.RawMessage   `json:"data" doc:"What is published: any JSON value. Either this or b64data is needed."`
	B64Data        string            `json:"b64data" doc:"The JSON text of data, in base64."`
	Tags           map[string]string `json:"tags" doc:"Travel beside the data."`
	SkipHistory    bool              `json:"skip_history" doc:"For those who listen now: it is not kept."`
	IdempotencyKey string            `json:"idempotency_key" doc:"A second publication with the same key is not stored: the answer is that of the first."`
}

func (c *content) Check() error {
	data, err := body.Either(c.Data, c.B64Data, "data")
	if err != nil {
		return err
	}
	if c.Data = data; len(c.Data) == 0 {
		return fmt.Errorf(`%w: field "data" is missing: give one JSON value`, body.ErrBad)
	}
	return nil
}

func (c *content) options() []surewire.PublishOption {
	opts := []surewire.PublishOption{surewire.WithID(c.IdempotencyKey), surewire.WithTags(c.Tags)}
	if c.SkipHistory {
		opts = append(opts, surewire.Ephemeral())
	}
	return opts
}

type publishRequest struct {
	Channel string `json:"channel" openapi:"required"`
	content
}

type publishResult struct {
	Offset    uint64            `json:"offset,omitempty" doc:"Of the publication in the channel; none if it is not kept."`
	Epoch     string            `json:"epoch,omitempty" doc:"The life of the channel's log in which the offset counts."`
	Duplicate bool              `json:"duplicate,omitempty" doc:"The idempotency_key was known: nothing new was stored."`
	Repairs   []surejson.Repair `json:"repairs,omitempty" doc:"What in the data was changed so that browsers can read it."`
}

func (s *Server) apiPublish(ctx context.Context, r *publishRequest) (publishResult, error) {
	receipt, err := s.publisher.Publish(ctx, r.Channel, r.Data, r.options()...)
	return s.published("publish", receipt, err), err
}

// published counts what came of a publication under its method, and returns it as
// the API tells it.
func (s *Server) published(method string, r surewire.Receipt, err error) publishResult {
	_, e := explain(err)
	s.counts.publications.WithLabelValues(method, code(e)).Inc()
	return publishResult{r.Position.Offset, r.Position.Epoch, r.Duplicate, r.Report.Repairs}
}

type broadcastRequest struct {
	Channels []string `json:"channels" openapi:"required"`
	content
}

type broadcastResult struct {
	Responses []publishReply `json:"responses" doc:"In the order of the channels."`
}

// A publishReply is one of the two.
type publishReply struct {
	Error  *apiError      `json:"error,omitempty"`
	Result *publishResult `json:"result,omitempty"`
}

// maxOnWay is how many publications of a broadcast the engine has at the same time.
const maxOnWay = 256

// apiBroadcast publishes to each channel by itself: one may fail, and the others not.
func (s *Server) apiBroadcast(ctx context.Context, r *broadcastRequest) (broadcastResult, error) {
	if len(r.Channels) == 0 {
		return broadcastResult{}, fmt.Errorf(`%w: field "channels" is missing or empty`, body.ErrBad)
	}
	all := make([]publishReply, len(r.Channels))
	onWay := make(chan struct{}, maxOnWay)
	for i, channel := range r.Channels {
		onWay <- struct{}{}
		told := func(receipt surewire.Receipt, err error) {
			if result := s.published("broadcast", receipt, err); err == nil {
				all[i].Result = &result
			} else {
				_, all[i].Error = s.refusal(ctx, err)
			}
			<-onWay
		}
		if err := s.publisher.PublishAsync(ctx, channel, r.Data, told, r.options()...); err != nil {
			told(surewire.Receipt{}, err)
		}
	}
	for range maxOnWay { // none is left
		onWay <- struct{}{}
	}
	return broadcastResult{all}, nil
}

type position struct {
	Offset uint64 `json:"offset"`
	Epoch  string `json:"epoch"`
}

func (p *position) surewire() *surewire.Position {
	if p == nil {
		return nil
	}
	return &surewire.Position{Epoch: p.Epoch, Offset: p.Offset}
}

type empty struct{}

type channelRequest struct {
	Channel string `json:"channel" openapi:"required"`
}

func (r *channelRequest) Check() error { return surewire.CheckChannel(r.Channel) }

type clientInfo struct {
	User     string          `json:"user"`
	Client   string          `json:"client"`
	ConnInfo json.RawMessage `json:"conn_info,omitempty"`
	ChanInfo json.RawMessage `json:"chan_info,omitempty"`
}

func newClientInfo(c *surewire.ClientInfo) *clientInfo {
	if c == nil {
		return nil
	}
	return &clientInfo{c.User, c.Client, c.Conn, c.Chan}
}

type presenceResult struct {
	Presence map[string]*clientInfo `json:"presence" doc:"By connection."`
}

func (s *Server) apiPresence(ctx context.Context, r *channelRequest) (presenceResult, error) {
	all := presenceResult{make(map[string]*clientInfo)}
	for id, c := range s.hub.Presence(ctx, r.Channel) {
		all.Presence[id] = newClientInfo(&c)
	}
	return all, nil
}

type presenceStatsResult struct {
	NumClients int `json:"num_clients"`
	NumUsers   int `json:"num_users"`
}

func (s *Server) apiPresenceStats(ctx context.Context, r *channelRequest) (presenceStatsResult, error) {
	n := s.hub.Stats(ctx, r.Channel)
	return presenceStatsResult{n.Clients, n.Users}, nil
}

type historyRequest struct {
	channelRequest
	Limit   int       `json:"limit" doc:"0 gives the position alone, -1 as much as goes into one answer: 1,000 publications, or 8 MiB."`
	Since   *position `json:"since" doc:"The publications after it; before it if reverse."`
	Reverse bool      `json:"reverse" doc:"Newest first."`
}

type publication struct {
	Data   json.RawMessage   `json:"data"`
	Info   *clientInfo       `json:"info,omitempty"`
	Offset uint64            `json:"offset"`
	Tags   map[string]string `json:"tags,omitempty"`
}

type historyResult struct {
	Publications []publication `json:"publications"`
	Epoch        string        `json:"epoch"`
	Offset       uint64        `json:"offset"`
}

// Bounds of one answer; a caller goes on from its last offset.
const (
	maxHistory      = 1000
	maxHistoryBytes = 8 << 20
)

func (s *Server) apiHistory(ctx context.Context, r *historyRequest) (historyResult, error) {
	if r.Reverse && r.Since != nil && r.Since.Offset == 0 {
		return historyResult{}, fmt.Errorf("%w: nothing is before offset 0", body.ErrBad)
	}
	limit := r.Limit
	if limit < 0 || limit > maxHistory {
		limit = maxHistory
	}
	h, err := s.hub.History(ctx, r.Channel, r.Since.surewire(), limit, r.Reverse)
	if err != nil {
		return historyResult{}, err
	}
	all := historyResult{make([]publication, 0, len(h.Messages)), h.Head.Epoch, h.Head.Offset}
	size := 0
	for i, m := range h.Messages {
		if size += len(m.Data); size > maxHistoryBytes && i > 0 {
			break
		}
		all.Publications = append(all.Publications, publication{m.Data, newClientInfo(m.Info), m.Position.Offset, m.Tags})
	}
	return all, nil
}

func (s *Server) apiHistoryRemove(ctx context.Context, r *channelRequest) (empty, error) {
	remover, ok := s.config.Engine.(surewire.HistoryRemover)
	if !ok {
		return empty{}, wire.ErrNotAvailable.With("the engine cannot forget a channel's history")
	}
	return empty{}, remover.RemoveHistory(ctx, r.Channel)
}

type channelsRequest struct {
	Pattern string `json:"pattern" doc:"* stands for any text; empty for all."`
}

type channelsResult struct {
	Channels map[string]channelInfo `json:"channels"`
}

type channelInfo struct {
	NumClients int `json:"num_clients"`
}

func (s *Server) apiChannels(_ context.Context, r *channelsRequest) (channelsResult, error) {
	all := channelsResult{make(map[string]channelInfo)}
	for name, n := range s.hub.Channels() {
		if r.Pattern == "" || matches(r.Pattern, name) {
			all.Channels[name] = channelInfo{n}
		}
	}
	return all, nil
}

// matches reports whether name is what pattern says, in which * is any text.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

type infoResult struct {
	Nodes []node `json:"nodes"`
}

type node struct {
	UID         string `json:"uid"`
	Name        string `json:"name"`
	Version     string `json:"version"`
	NumClients  int    `json:"num_clients"`
	NumUsers    int    `json:"num_users"`
	NumChannels int    `json:"num_channels"`
	NumSubs     int    `json:"num_subs"`
	Uptime      int64  `json:"uptime" doc:"In seconds."`
}

func (s *Server) apiInfo(context.Context, *empty) (infoResult, error) {
	n := s.hub.Counts()
	return infoResult{[]node{{
		UID: s.id, Name: s.name, Version: s.config.Hub.Version, NumClients: n.Connections, NumUsers: n.Users,
		NumChannels: n.Channels, NumSubs: n.Subscriptions, Uptime: int64(time.Since(s.began).Seconds()),
	}}}, nil
}
