// Reads Terraform files with HashiCorp's parser, evaluates every expression in them with its evaluator, and tells as JSON what it found:
//
//	hcl FILE [STUBS]
//
// STUBS is JSON for what only a run of Terraform knows: {"var": {…}, "data": {TYPE: {NAME: {…}}}, "resource": {…}}. What is declared and has
// no stub is unknown, which becomes null; what is not declared, a function or a variable that there is not, is a complaint.
//
// A local may use those above it, no others.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type answer struct {
	Complaints []string `json:"complaints"`
	// Variables that have to be set.
	Required  []string       `json:"required"`
	Resources map[string]any `json:"resources"`
}

type stubs struct {
	Var      map[string]any `json:"var"`
	Data     kinds          `json:"data"`
	Resource kinds          `json:"resource"`
}

// By type and name.
type kinds map[string]map[string]map[string]any

type reader struct {
	variables   map[string]cty.Value
	functions   map[string]function.Function
	diagnostics hcl.Diagnostics
}

func main() {
	var given stubs
	if len(os.Args) > 2 {
		if err := json.Unmarshal([]byte(os.Args[2]), &given); err != nil {
			fmt.Fprintln(os.Stderr, "the stubs are no JSON of their form:", err)
			os.Exit(2)
		}
	}
	parser := hclparse.NewParser()
	file, diagnostics := parser.ParseHCLFile(os.Args[1])
	told := answer{Complaints: []string{}, Required: []string{}, Resources: map[string]any{}}
	if !diagnostics.HasErrors() {
		r, body := reader{functions: functions(filepath.Dir(os.Args[1]))}, file.Body.(*hclsyntax.Body)
		told.Resources = r.read(body, given)
		for _, block := range blocks(body, "variable") {
			if _, is := block.Body.Attributes["default"]; !is {
				told.Required = append(told.Required, block.Labels[0])
			}
		}
		diagnostics = r.diagnostics
		if len(told.Resources) == 0 {
			told.Complaints = append(told.Complaints, "no resource in it")
		}
	}
	for _, one := range diagnostics {
		told.Complaints = append(told.Complaints, one.Error())
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (r *reader) read(body *hclsyntax.Body, given stubs) map[string]any {
	r.variables = map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(".")})}
	vars, locals, resources := map[string]cty.Value{}, map[string]cty.Value{}, map[string]any{}
	for _, block := range blocks(body, "variable") {
		name := block.Labels[0]
		vars[name] = cty.DynamicVal
		if stub, is := given.Var[name]; is {
			vars[name] = r.value(stub)
		} else if fallback, is := block.Body.Attributes["default"]; is {
			vars[name] = r.evaluate(fallback.Expr)
		}
	}
	r.variables["var"] = cty.ObjectVal(vars)
	r.variables["data"] = cty.ObjectVal(r.declared(blocks(body, "data"), given.Data))
	for kind, named := range r.declared(blocks(body, "resource"), given.Resource) {
		r.variables[kind] = named
	}
	r.variables["local"] = cty.EmptyObjectVal
	for _, block := range blocks(body, "locals") {
		for _, one := range inOrder(block.Body.Attributes) {
			locals[one.Name] = r.evaluate(one.Expr)
			r.variables["local"] = cty.ObjectVal(locals)
		}
	}
	for _, block := range body.Blocks {
		switch block.Type {
		case "terraform", "variable", "locals":
			// The words of the first two are Terraform's own, not expressions; the third is done.
		case "resource":
			resources[block.Labels[0]+"."+block.Labels[1]] = r.inside(block.Body)
		default:
			r.inside(block.Body)
		}
	}
	return resources
}

// What these blocks declare, by type: objects that have what the stubs say, or are unknown.
func (r *reader) declared(blocks []*hclsyntax.Block, given kinds) map[string]cty.Value {
	named := map[string]map[string]cty.Value{}
	for _, block := range blocks {
		kind, name := block.Labels[0], block.Labels[1]
		if named[kind] == nil {
			named[kind] = map[string]cty.Value{}
		}
		named[kind][name] = cty.DynamicVal
		if stub, is := given[kind][name]; is {
			named[kind][name] = r.value(stub)
		}
	}
	declared := map[string]cty.Value{}
	for kind, names := range named {
		declared[kind] = cty.ObjectVal(names)
	}
	return declared
}

// The attributes of a block with their values, and the blocks in it as lists.
func (r *reader) inside(body *hclsyntax.Body) map[string]any {
	if _, is := body.Attributes["for_each"]; is {
		r.variables["each"] = cty.ObjectVal(map[string]cty.Value{"key": cty.DynamicVal, "value": cty.DynamicVal})
		defer delete(r.variables, "each")
	}
	found := map[string]any{}
	for _, one := range inOrder(body.Attributes) {
		found[one.Name] = known(r.evaluate(one.Expr))
	}
	for _, block := range body.Blocks {
		list, _ := found[block.Type].([]any)
		found[block.Type] = append(list, r.inside(block.Body))
	}
	return found
}

func (r *reader) evaluate(expression hclsyntax.Expression) cty.Value {
	value, diagnostics := expression.Value(&hcl.EvalContext{Variables: r.variables, Functions: r.functions})
	r.diagnostics = append(r.diagnostics, diagnostics...)
	return value
}

func (r *reader) value(stub any) cty.Value {
	text, err := json.Marshal(stub)
	if err == nil {
		var value ctyjson.SimpleJSONValue
		if err = json.Unmarshal(text, &value); err == nil {
			return value.Value
		}
	}
	r.diagnostics = append(r.diagnostics, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: err.Error()})
	return cty.DynamicVal
}

func blocks(body *hclsyntax.Body, kind string) []*hclsyntax.Block {
	var found []*hclsyntax.Block
	for _, block := range body.Blocks {
		if block.Type == kind {
			found = append(found, block)
		}
	}
	return found
}

func inOrder(attributes hclsyntax.Attributes) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(attributes))
	for _, one := range attributes {
		list = append(list, one)
	}
	sort.Slice(list, func(a, b int) bool { return list[a].SrcRange.Start.Byte < list[b].SrcRange.Start.Byte })
	return list
}

// A value as JSON, with null for what is not known.
func known(value cty.Value) any {
	value, err := cty.Transform(value, func(_ cty.Path, inner cty.Value) (cty.Value, error) {
		if !inner.IsKnown() {
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		return inner, nil
	})
	if err != nil {
		return nil
	}
	return ctyjson.SimpleJSONValue{Value: value}
}

// Those of Terraform's functions that the examples use.
func functions(folder string) map[string]function.Function {
	path := []function.Parameter{{Name: "path", Type: cty.String}}
	read := func(arguments []cty.Value, _ cty.Type) (cty.Value, error) {
		text, err := os.ReadFile(filepath.Join(folder, arguments[0].AsString()))
		return cty.StringVal(string(text)), err
	}
	// The file is made by a build that need not have been.
	sum := func(_ []cty.Value, _ cty.Type) (cty.Value, error) { return cty.UnknownVal(cty.String), nil }
	return map[string]function.Function{
		"file":             function.New(&function.Spec{Params: path, Type: function.StaticReturnType(cty.String), Impl: read}),
		"filebase64sha256": function.New(&function.Spec{Params: path, Type: function.StaticReturnType(cty.String), Impl: sum}),
		"join":             stdlib.JoinFunc,
		"jsonencode":       stdlib.JSONEncodeFunc,
		"toset":            stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	}
}
