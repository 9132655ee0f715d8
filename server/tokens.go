package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/surewire/surewire"
	"github.com/surewire/surewire/access"
	"github.com/surewire/surewire/auth"
	"github.com/surewire/surewire/server/internal/body"
	"github.com/surewire/surewire/wire"
)

// The requests are those of Centrifugo PRO's token revocation API, in its words.

type revokeTokenRequest struct {
	UID      string `json:"uid" openapi:"required" doc:"The token's jti."`
	ExpireAt int64  `json:"expire_at" doc:"When the revocation ends, in seconds since 1970; 0 for when the token must have expired."`
}

func (s *Server) apiRevokeToken(_ context.Context, r *revokeTokenRequest) (empty, error) {
	if r.UID == "" {
		return empty{}, fmt.Errorf(`%w: field "uid" is missing: give the token's jti`, body.ErrBad)
	}
	return s.revoke(auth.Revocation{ID: r.UID, Until: unix(r.ExpireAt)})
}

type invalidateUserTokensRequest struct {
	User         string `json:"user" openapi:"required"`
	IssuedBefore int64  `json:"issued_before" doc:"In seconds since 1970: tokens whose iat is before it, or that have none; 0 for now."`
	ExpireAt     int64  `json:"expire_at" doc:"When the revocation ends, in seconds since 1970; 0 for when such tokens must have expired."`
	Channel      string `json:"channel" doc:"Refused: tokens are revoked for all channels."`
}

func (s *Server) apiInvalidateUserTokens(_ context.Context, r *invalidateUserTokensRequest) (empty, error) {
	switch {
	case r.User == "":
		return empty{}, fmt.Errorf(`%w: field "user" is missing`, body.ErrBad)
	case r.Channel != "":
		return empty{}, wire.ErrNotAvailable.With(`field "channel": tokens are revoked for all channels`)
	}
	before := unix(r.IssuedBefore)
	if before.IsZero() {
		before = time.Now()
	}
	return s.revoke(auth.Revocation{User: r.User, Before: before, Until: unix(r.ExpireAt)})
}

// revoke takes tokens back, and ends the connections that they opened.
func (s *Server) revoke(x auth.Revocation) (empty, error) {
	all := s.config.Revocations
	if all == nil {
		return empty{}, wire.ErrNotAvailable.With("the server keeps no revocations")
	}
	switch err := all.Revoke(x); {
	case errors.Is(err, auth.ErrFull):
		return empty{}, wire.ErrLimitExceeded.With(err.Error())
	case err != nil:
		return empty{}, err
	}
	s.hub.Review(s.revoked, surewire.DisconnectInvalidToken)
	return empty{}, nil
}

// revoked reports whether the token that let c in was taken back.
func (s *Server) revoked(c access.Client) bool {
	return s.config.Revocations.Check(c.User, c.TokenID, c.TokenTime) != nil
}

type ticketRequest struct {
	Token string `json:"token" openapi:"required" doc:"The connection token that the ticket stands for."`
	TTL   int    `json:"ttl" doc:"How long the ticket is good, in seconds; 0 for as long as tickets may be."`
}

type ticketResult struct {
	Ticket string `json:"ticket" doc:"What the client sends in place of the token."`
}

func (s *Server) apiTicket(ctx context.Context, r *ticketRequest) (ticketResult, error) {
	switch {
	case s.config.Ticket == nil:
		return ticketResult{}, wire.ErrNotAvailable.With("tickets are not accepted here")
	case r.Token == "":
		return ticketResult{}, fmt.Errorf(`%w: field "token" is missing`, body.ErrBad)
	case r.TTL < 0:
		return ticketResult{}, fmt.Errorf(`%w: field "ttl" is less than 0`, body.ErrBad)
	}
	t, err := s.config.Ticket(ctx, r.Token, time.Duration(r.TTL)*time.Second)
	switch {
	case errors.Is(err, auth.ErrExpired):
		err = wire.ErrTokenExpired
	case errors.Is(err, auth.ErrInvalid), errors.Is(err, auth.ErrRevoked):
		err = wire.ErrUnauthorized.With("the token is not good")
	case errors.Is(err, auth.ErrFull):
		err = wire.ErrTooManyRequests
	}
	return ticketResult{t}, err
}
