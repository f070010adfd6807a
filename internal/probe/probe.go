// Package probe is the health check of a container image that holds one static
// program and nothing else: no shell, no curl. Each server carries the command
// and asks itself.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/layerq/layerq/internal/console"
)

// Timeout is how long the answer may take. Container engines end a health
// check after their own, longer time; by then the reason would be lost.
const Timeout = 3 * time.Second

// maxReason bounds how much of a refusal is repeated.
const maxReason = 1024

// Command is "probe URL": exit 0 if URL answers 200, or 1 with what it
// answered instead. It is hidden from help, as only container files call it.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:     "probe URL",
		Short:   "Ask a health address once: the health check of the container image",
		Long:    "Ask a health address once. Exit 0 if it answers 200; else 1, and what it answered instead.",
		Example: "  probe http://127.0.0.1:8080/readyz",
		Args:    console.Arguments(1, "URL"),
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return Get(cmd.Context(), args[0])
		},
	}
}

// Get asks url once, within [Timeout], and returns nil if it answers 200. The
// error of any other answer carries the first 1,024 bytes of its body, which for
// /readyz are the reasons. It follows no redirect and uses no proxy: a
// health check asks the process beside it.
func Get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("probe: %s did not answer within %s", url, Timeout)
	}
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	reason, err := io.ReadAll(io.LimitReader(resp.Body, maxReason))
	if err != nil {
		return fmt.Errorf("probe: %s answered %s", url, resp.Status)
	}
	return fmt.Errorf("probe: %s answered %s: %s", url, resp.Status, strings.TrimSpace(string(reason)))
}
