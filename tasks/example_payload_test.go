package tasks_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/layerq/layerq/tasks"
)

// What is wrong is told by field, all at once.
func ExampleInvalidError() {
	_, err := tasks.New("conversation:create", []byte(`{"participants":["ana",""],"metadata":{"berth":7}}`))

	if invalid, ok := errors.AsType[*tasks.InvalidError](err); ok {
		for _, f := range invalid.Fields() {
			fmt.Printf("%s - %s\n", f.Field, f.Problem)
		}
	}
	// Output:
	// participants[1] - is missing or empty
	// metadata.berth - is a number, Layer takes strings and objects of strings
}

// Tasks can be made of a type's name and JSON, as in a bulk file.
func ExampleNew() {
	task, err := tasks.New("user:block", []byte(`{"owner":"ana","user":"boris"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	payload, err := tasks.Encode(task)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%#v\n%s\n", task, payload)
	// Output:
	// tasks.BlockUser{Owner:"ana", User:"boris"}
	// {"v":1,"args":{"owner":"ana","user":"boris"}}
}

// Every type tells what it is and what it takes.
func ExampleTypes() {
	first := tasks.Types()[0]
	var schema struct{ Required []string }
	if err := json.Unmarshal(first.Schema, &schema); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(first.Type, "-", first.Doc)
	fmt.Println(schema.Required)
	// Output:
	// message:send - Posts a message to a conversation.
	// [conversation sender parts]
}
