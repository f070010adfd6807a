package layertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// filled returns an emulator with n messages in one conversation.
func filled(tb testing.TB, n int) *layertest.Emulator {
	tb.Helper()
	e := layertest.New(layertest.Config{Seed: 1})
	tb.Cleanup(func() { _ = e.Close() })
	post(tb, e, app+"/conversations", `{"participants":["ana","boris"]}`, convA)
	for range n {
		post(tb, e, app+"/conversations/"+convA+"/messages", benchMessage, "")
	}
	return e
}

const benchMessage = `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"The tide is in, and pier 7 is closed until the morning. Please moor at pier 9 instead."}]}`

func post(tb testing.TB, e *layertest.Emulator, path, body, dedupe string) {
	tb.Helper()
	if code := serve(e, "POST", path, body, dedupe); code != 201 {
		tb.Fatalf("POST %s: %d", path, code)
	}
}

func serve(e *layertest.Emulator, method, path, body, dedupe string) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	r.Header.Set("Accept", layerJSON)
	if dedupe != "" {
		r.Header.Set("If-None-Match", dedupe)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Code
}

// BenchmarkServe is the emulator alone, one request after the other, with
// 100,000 messages stored: what one core serves without the network.
func BenchmarkServe(b *testing.B) {
	e := filled(b, 100_000)
	list := app + "/conversations/" + convA + "/messages"
	for _, bb := range []struct{ name, method, path, body string }{
		{"post", "POST", list, benchMessage},
		{"list 100", "GET", list, ""},
		{"list 100 as user", "GET", app + "/users/boris/conversations/" + convA + "/messages", ""},
		{"conversation as user", "GET", app + "/users/boris/conversations/" + convA, ""},
		{"block", "POST", app + "/users/ana/blocks", `{"user_id":"chen"}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if code := serve(e, bb.method, bb.path, bb.body, ""); code >= 300 {
					b.Fatalf("got %d", code)
				}
			}
		})
	}
}

// BenchmarkLoopback posts messages over TCP with keep-alive, client and
// emulator on the same cores.
func BenchmarkLoopback(b *testing.B) {
	e := filled(b, 100_000)
	srv := httptest.NewUnstartedServer(e)
	srv.Config = e.HTTPServer()
	srv.Start()
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequestWithContext(b.Context(), "POST", srv.URL+app+"/conversations/"+convA+"/messages", strings.NewReader(benchMessage))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
			req.Header.Set("Accept", layerJSON)
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// TestMemoryPerMessage bounds what a stored message costs, with its place in
// the request log: 1,000,000 of them are to fit into 1 GiB, with as much again
// for the garbage collector.
func TestMemoryPerMessage(t *testing.T) { //nolint:paralleltest // it measures the heap
	if testing.Short() {
		t.Skip("stores 30,000 messages")
	}
	const n = 30_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e := filled(t, n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := (after.HeapAlloc - before.HeapAlloc) / n
	t.Logf("%d bytes per message of %d bytes", per, len(benchMessage))
	if per > 500 {
		t.Errorf("a message takes %d bytes, want at most 500", per)
	}
	if got := e.Stats().Messages; got != n {
		t.Error(fmt.Sprint(got, " messages are stored"))
	}
}
