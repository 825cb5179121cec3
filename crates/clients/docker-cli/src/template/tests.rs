//! Templates as users write them, against what Go makes of them.

use super::{Kind, Template, Value};

fn document() -> Value {
    let mut value: Value = serde_json::from_str(
        r#"{"Name":"/web","State":{"Running":true,"Pid":7,"ExitCode":0},
            "Config":{"Env":["A=1","B=2"],"Labels":{"z":"26","a":"1"},"Cmd":null},
            "Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"53/udp":null},"Ratio":0.5}"#,
    )
    .unwrap();
    value.mark_maps(&["Labels", "Ports"]);
    value
}

fn render(template: &str) -> String {
    let mut out = String::new();
    match Template::parse(template).and_then(|t| t.render(&document(), &mut out)) {
        Ok(()) => out,
        Err(error) => error.to_string(),
    }
}

#[test]
fn fields_pipes_and_functions() {
    assert_eq!(render("{{.Name}} {{ .State.Pid }}"), "/web 7");
    assert_eq!(render("{{json .State}}"), r#"{"Running":true,"Pid":7,"ExitCode":0}"#);
    assert_eq!(render("{{.Name | upper | printf \"%-6s|\"}}"), "/WEB  |");
    assert_eq!(render("{{join .Config.Env \",\"}} {{len .Config.Env}}"), "A=1,B=2 2");
    assert_eq!(render("{{index .Config.Env 1}} {{index .Config.Labels \"z\"}}"), "B=2 26");
    assert_eq!(render("{{(index (index .Ports \"80/tcp\") 0).HostPort}}"), "8080");
    assert_eq!(render("{{with index .Ports \"80/tcp\"}}{{(index . 0).HostIp}}{{end}}"), "0.0.0.0");
    assert_eq!(render("{{title \"ab cd\"}} {{pad \"x\" 1 2}}| {{truncate \"abcdef\" 3}}"), "Ab Cd  x  | abc");
    assert_eq!(render("{{index (split .Name \"/\") 1}}"), "web");
    assert_eq!(render("{{slice .Name 1 3}} {{printf \"%05d %q %v\" 42 \"a\" .Ratio}}"), "we 00042 \"a\" 0.5");
    assert_eq!(render("{{println \"a\" 1}}"), "a 1\n");
}

#[test]
fn control_flow_scopes_and_trimming() {
    assert_eq!(render("{{if .State.Running}}up{{else}}down{{end}}"), "up");
    assert_eq!(render("{{if eq .State.ExitCode 1 2}}a{{else if and .Name (gt .State.Pid 5)}}b{{end}}"), "b");
    assert_eq!(render("{{range .Config.Env}}[{{.}}]{{end}}"), "[A=1][B=2]");
    assert_eq!(render("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}"), "a=1;z=26;");
    assert_eq!(render("{{range $i, $e := .Config.Env}}{{if $i}}, {{end}}{{$e}}{{end}}"), "A=1, B=2");
    assert_eq!(render("{{range .Config.Env}}{{.}}{{break}}{{end}}"), "A=1");
    assert_eq!(render("{{range .Config.Cmd}}x{{else}}none{{end}}"), "none");
    assert_eq!(render("a  {{- .Name -}}  b {{/* gone */}}c"), "a/webb c");
    assert_eq!(render("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}{{$.Name}}"), "2/web");
    assert_eq!(render("{{if true}}{{$ = .State}}{{end}}{{$.Pid}} {{with .Config}}{{$.Pid}}{{end}}"), "7 7");
    assert_eq!(render("{{range .Config.Env}}{{$.State.Pid}}{{end}}"), "77");
    assert_eq!(render("{{not .State.Running}} {{ne 1 2}} {{le \"a\" \"b\"}}"), "false true true");
}

#[test]
fn values_print_as_in_go() {
    assert_eq!(render("{{.Config.Env}}"), "[A=1 B=2]");
    assert_eq!(render("{{.Config.Labels}}"), "map[a:1 z:26]");
    assert_eq!(render("{{.State}}"), "{true 7 0}");
    assert_eq!(render("{{.Ports}}"), "map[53/udp:<nil> 80/tcp:[{0.0.0.0 8080}]]");
    assert_eq!(render("{{.Config.Cmd}}"), "<no value>");
}

#[test]
fn mistakes_are_named_as_go_names_them() {
    assert_eq!(
        render("{{.Nope}}"),
        "template: :1:2: executing \"\" at <.Nope>: map has no entry for key \"Nope\""
    );
    assert_eq!(render("{{.Name"), "template: :1: unclosed action");
    assert_eq!(render("{{nope .Name}}"), "template: :1: function \"nope\" not defined");
    assert_eq!(render("{{if .Name}}x"), "template: :1: unexpected EOF");
    assert_eq!(render("{{end}}"), "template: :1: unexpected {{end}}");
    assert_eq!(render("{{$x}}"), "template: :1: undefined variable \"$x\"");
    assert!(render("{{index .Config.Env 9}}").contains("out of range"));
    assert!(render("{{.Name.Foo}}").contains("can't evaluate field Foo in type string"));
}

#[test]
fn a_struct_names_its_type_and_titles_stay_whole() {
    let titles = Value::structure("*formatter.ContainerContext", [("ID", Value::from("CONTAINER ID"))]);
    let template = Template::parse("{{lower .ID}} {{.Nope}}").unwrap();
    let mut out = String::new();
    let error = template.render_titles(&titles, &mut out).unwrap_err();
    assert_eq!(out, "CONTAINER ID ");
    assert!(error.to_string().ends_with("can't evaluate field Nope in type *formatter.ContainerContext"));
    assert!(template.mentions("Nope") && !template.mentions("Size"));
    assert!(matches!(titles, Value::Object(Kind::Struct(_), _)));
}

#[test]
fn a_template_shows_what_it_asks_for_and_what_it_takes_as_a_whole() {
    let shows = |text: &str| Template::parse(text).unwrap().may_show("ID");
    for text in
        ["{{.ID}}", "{{json .}}", "{{.}}", "{{$.ID}}", "{{with .Name}}{{.}}{{end}}", "{{(index . 0).Size}}"]
    {
        assert!(shows(text), "{text}");
    }
    for text in ["ID", "{{.Name}}", "{{json .Size}}", "{{if .Size}}{{$.Name}}{{end}}"] {
        assert!(!shows(text), "{text}");
    }
}
