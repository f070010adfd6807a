package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/layerq/layerq/internal/wording"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// parts collects what --text and --part give, in the order of the command line.
type parts struct {
	list []flaggedPart
	push push
}

// flaggedPart is a part, and the flag that it came from.
type flaggedPart struct {
	flag string
	part tasks.Part
	err  error
}

// partForms are those that --part takes; announcements take no rich content.
const (
	plainForms = "mime=TYPE,body=TEXT or mime=TYPE,file=NAME; what follows body= or file="
	richForms  = "mime=TYPE,body=TEXT, mime=TYPE,file=NAME or mime=TYPE,url=URL; what follows body=, file= or url="
)

func (p *parts) add(flags *pflag.FlagSet, forms string) {
	flags.Var(&partFlag{parts: p, name: "--text", metavar: "TEXT", parse: textPart}, "text", "a part of plain text; may be repeated")
	flags.Var(&partFlag{parts: p, name: "--part", metavar: "PART", parse: parsePart}, "part",
		"any part, as "+forms+" is taken whole, commas and all; may be repeated")
	p.push.add(flags)
}

// tasks returns the parts, and says which of them could not be understood.
func (p *parts) tasks(problems *problems) []tasks.Part {
	if len(p.list) == 0 {
		problems.add("--text", "is missing: give it, or --part")
	}
	all := make([]tasks.Part, len(p.list))
	for i, one := range p.list {
		all[i] = one.part
		if one.err != nil && !problems.flags[p.name(i)] {
			problems.add(p.name(i), "%v", one.err)
		}
	}
	return all
}

// names maps the fields of the parts to their flags, beside others.
func (p *parts) names(others flagNames) flagNames {
	names := flagNames{
		"parts": "--text", "notification": "--push-text",
		"notification.title": "--push-title", "notification.text": "--push-text", "notification.sound": "--push-sound",
	}
	for i := range p.list {
		field := fmt.Sprintf("parts[%d]", i)
		names[field] = p.name(i)
		// What a flag has only one of needs no name behind the flag's.
		names[field+".source"] = p.name(i)
		if p.list[i].flag == "--text" {
			names[field+".body"] = p.name(i)
		}
	}
	maps.Copy(names, others)
	return names
}

// name is the flag of a part, with its place where the flag was repeated.
func (p *parts) name(i int) string {
	place, count := 0, 0
	for j, other := range p.list {
		if other.flag == p.list[i].flag {
			count++
			if j <= i {
				place++
			}
		}
	}
	if count == 1 {
		return p.list[i].flag
	}
	return fmt.Sprintf("%s (number %d)", p.list[i].flag, place)
}

// partFlag is one of the two flags that add to the same list.
type partFlag struct {
	parts   *parts
	name    string
	metavar string
	parse   func(s string) (tasks.Part, error)
	last    string
}

func (f *partFlag) Set(s string) error {
	part, err := f.parse(s)
	f.parts.list = append(f.parts.list, flaggedPart{flag: f.name, part: part, err: err})
	f.last = s
	return nil
}

func (f *partFlag) String() string { return f.last }
func (f *partFlag) Type() string   { return f.metavar }

func textPart(s string) (tasks.Part, error) { return tasks.Text(s), nil }

// parsePart reads mime=TYPE[,encoding=base64],body=TEXT, or file=NAME or url=URL in
// place of body. The last field is taken whole, so that a text may have commas.
func parsePart(s string) (tasks.Part, error) {
	const form = "write mime=TYPE,body=TEXT, mime=TYPE,file=NAME or mime=TYPE,url=URL"
	mime, rest, found := strings.Cut(s, ",")
	mime, isMIME := strings.CutPrefix(mime, "mime=")
	if !isMIME || !found || mime == "" {
		return tasks.Part{}, errors.New("begins with no mime=TYPE,: " + form)
	}
	part := tasks.Part{MIMEType: mime}
	if encoded, found := strings.CutPrefix(rest, "encoding=base64,"); found {
		part.Encoding, rest = layer.EncodingBase64, encoded
	}
	field, value, _ := strings.Cut(rest, "=")
	switch {
	case field == "body":
		part.Body = value
		return part, nil
	case (field == "file" || field == "url") && part.Encoding != "":
		return tasks.Part{}, errors.New("encoding= is for body= alone: what is in a file is sent as it is")
	case field == "file":
		return filePart(mime, value)
	case field == "url":
		return urlPart(mime, value)
	default:
		return tasks.Part{}, errors.New("has neither body= nor file= nor url= behind its type: " + form)
	}
}

// urlPart leaves a URL to the worker. A file is named by file=, which looks at it.
func urlPart(mime, value string) (tasks.Part, error) {
	if value == "" {
		return tasks.Part{}, errors.New("url= has no URL")
	}
	if scheme, _, found := strings.Cut(value, ":"); !found || !strings.EqualFold(scheme, "https") {
		return tasks.Part{}, errors.New("url= is no https: URL") // not quoted: it may be signed
	}
	return tasks.Part{MIMEType: mime, Source: value}, nil
}

// filePart puts a small file into the part, as base64: what is in it need not be
// text. A larger one becomes its source, which the client of the queue looks at.
func filePart(mime, name string) (tasks.Part, error) {
	if name == "" {
		return tasks.Part{}, errors.New("file= names no file")
	}
	f, err := os.Open(name)
	if err != nil {
		return tasks.Part{}, fmt.Errorf("file %s: %s", wording.Quote(name), wording.FileProblem(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, layer.MaxInlineBody+1))
	switch {
	case err != nil:
		return tasks.Part{}, fmt.Errorf("file %s: %s", wording.Quote(name), wording.FileProblem(err))
	case len(content) == 0:
		return tasks.Part{}, fmt.Errorf("file %s is empty", wording.Quote(name))
	case len(content) <= layer.MaxInlineBody:
		return tasks.Part{MIMEType: mime, Body: base64.StdEncoding.EncodeToString(content), Encoding: layer.EncodingBase64}, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return tasks.Part{}, fmt.Errorf("file %s: %w", wording.Quote(name), err)
	}
	return tasks.Part{MIMEType: mime, Source: (&url.URL{Scheme: "file", Path: path}).String()}, nil
}

// push is the notification that goes along with a message.
type push struct{ title, text, sound string }

func (p *push) add(flags *pflag.FlagSet) {
	textVar(flags, &p.title, "push-title", "TEXT", "title of the push notification")
	textVar(flags, &p.text, "push-text", "TEXT", "text of the push notification")
	textVar(flags, &p.sound, "push-sound", "NAME", "sound of the push notification")
}

// notification is nil where no flag was given.
func (p *push) notification() *layer.Notification {
	if *p == (push{}) {
		return nil
	}
	return &layer.Notification{Title: p.title, Text: p.text, Sound: p.sound}
}
