//! `towtank render`, `diff` and `validate` as they are called: what they print, and what they end
//! with. What is rendered is `render`'s to test.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]
#![expect(clippy::disallowed_methods, reason = "the program itself, and git, are what is called")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use towtank::object::Value;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn towtank(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command.current_dir(folder).args(args).output().unwrap()
}

#[track_caller]
fn check(folder: &Path, args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = towtank(folder, args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!((output.status.code(), out.as_str(), err.as_str()), (Some(code), stdout, stderr));
}

/// Commits all of a folder; gives the id.
fn commit(folder: &Path) -> String {
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@t.invalid"];
        let mut command = Command::new("git");
        command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").args(who).args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    git(&["rev-parse", "HEAD"])
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - {name: cart, image: 'shop/cart:1'}
";

const PROD: &str = "\
resources: [../base]
namespace: shop
configMapGenerator:
- {name: settings, literals: [LEVEL=warn]}
secretGenerator:
- {name: key, literals: [KEY=hunter2], options: {disableNameSuffixHash: true}}
";

/// A repository of two commits.
fn shop(folder: &Path) {
    write(
        folder,
        &[
            ("base/kustomization.yaml", "resources: [cart.yaml]\n"),
            ("base/cart.yaml", DEPLOYMENT),
            ("prod/kustomization.yaml", PROD),
            ("other/kustomization.yaml", "resources: [a.yaml]\n"),
            ("other/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ],
    );
    commit(folder);
    let prod = PROD.replace("warn", "info").replace("hunter2", "swordfish")
        + "images:\n- {name: shop/cart, newTag: '2'}\n";
    write(
        folder,
        &[
            ("prod/kustomization.yaml", &prod),
            ("plain/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"),
        ],
    );
    commit(folder);
}

const DIFFERENCES: &str = "\
plain
  + ConfigMap/b  (plain/b.yaml:1)

prod
  ~ ConfigMap/shop/settings-2748f727mg, was settings-67794dg67c  (prod/kustomization.yaml:4)
      data.LEVEL: warn → info
  ~ Secret/shop/key  (prod/kustomization.yaml:6)
      data.KEY: *** (before) → *** (after)
  ~ Deployment/shop/cart  (base/cart.yaml:1)
      spec.template.spec.containers[cart].image: shop/cart:1 → shop/cart:2

1 added, 3 changed, 0 removed; 2 of 3 folders differ
";

#[test]
fn diff_tells_which_objects_and_fields_differ_and_masks_secrets() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    check(folder.path(), &["diff", "HEAD~1", "HEAD"], 0, DIFFERENCES, "");
    check(folder.path(), &["diff", "HEAD~1"], 0, DIFFERENCES, "");
    check(folder.path(), &["diff", "HEAD~1", "main", "--exit-code"], 1, DIFFERENCES, "");
    let none = "0 added, 0 changed, 0 removed; 0 of 1 folders differ\n";
    check(
        folder.path(),
        &["diff", "HEAD~1", "HEAD", "--path", "other", "--exit-code"],
        0,
        none,
        "",
    );
    let output = towtank(folder.path(), &["diff", "HEAD~1", "HEAD", "--report", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("c3dvcmRmaXNo"), "{text}");
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["folders"][1]["changed"][2]["fields"][0]["new"], "shop/cart:2");
    assert_eq!(page["folders"][0]["added"][0]["name"], "b");
}

#[test]
fn diff_says_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    let err = |args: &[&str]| {
        let output = towtank(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(err(&["diff", "nope", "HEAD"]).starts_with(".: nope: "));
    let message = err(&["diff", "HEAD~1", "HEAD", "--path", "prd"]);
    assert_eq!(message, "prd: neither HEAD~1 nor HEAD has it\n");
    write(folder.path(), &[("prod/kustomization.yaml", "resource: []\n")]);
    commit(folder.path());
    let output = towtank(folder.path(), &["diff", "HEAD~1", "HEAD", "--path", "prod"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("! the right commit cannot be rendered: prod/kustomization.yaml:1:1"),
        "{text}"
    );
}

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ships.x.example}
spec:
  group: x.example
  scope: Namespaced
  names: {kind: Ship, plural: ships}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, maximum: 3}}}
";

#[test]
fn validate_names_file_line_and_field_of_what_a_server_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let patch =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec:\n  replica: 3\n";
    write(
        folder.path(),
        &[
            ("base/kustomization.yaml", "resources: [cart.yaml]\n"),
            ("base/cart.yaml", DEPLOYMENT),
            ("prod/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n"),
            ("prod/patch.yaml", patch),
            ("broken/kustomization.yaml", "resources: [nothing.yaml]\n"),
            ("crds/ship.yaml", CRD),
            (
                "plain/ship.yaml",
                "# a ship\n---\napiVersion: x.example/v1\nkind: Ship\nmetadata: {name: a}\nspec:\n  size: 4\n",
            ),
            (
                "plain/old.yaml",
                "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n",
            ),
            (
                "plain/flux.yaml",
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a}\n",
            ),
            (
                "plain/port.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - {port: 99999}\n",
            ),
        ],
    );
    let expected = "\
./broken/kustomization.yaml:1:13: resources: there is no file or folder \"nothing.yaml\"; broken has kustomization.yaml
./plain/old.yaml:2:1: Ingress a: no kind \"Ingress\" in \"extensions/v1beta1\"; Ingress is in \"networking.k8s.io/v1\"
./plain/port.yaml:6:5: Service a: spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive
./plain/port.yaml:6:6: Service a: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive
./plain/ship.yaml:7:3: Ship a: spec.size: Invalid value: 4: spec.size in body should be less than or equal to 3
./prod/patch.yaml:5:3: Deployment cart: unknown field \"spec.replica\"
not checked: 1 of GitRepository source.toolkit.fluxcd.io/v1: no schema is here
4 folders, 6 objects, 6 findings
";
    check(folder.path(), &["validate"], 1, expected, "");
    check(folder.path(), &["validate", "base"], 0, "1 folder, 1 object, 0 findings\n", "");
    let output = towtank(folder.path(), &["validate", ".", "--report", "json"]);
    let page: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["ok"], false);
    assert_eq!(page["findings"][5]["file"], "prod/patch.yaml");
    assert_eq!(page["findings"][5]["line"], 5);
    assert_eq!(page["findings"][5]["field"], "spec.replica");
    write(folder.path(), &[("empty/a.txt", "")]);
    let message = "empty: neither a kustomization nor a manifest is here\n";
    check(folder.path(), &["validate", "empty"], 2, "", message);
}

#[test]
fn a_base_in_a_repository_elsewhere_is_fetched_once_and_pinned() {
    let (upstream, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(
        upstream.path(),
        &[
            ("deploy/kustomization.yaml", "resources: [a.yaml]\n"),
            ("deploy/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\n"),
        ],
    );
    let first = commit(upstream.path());
    let url = format!("file://{}//deploy", upstream.path().display());
    let top = |reference: &str| {
        let text = format!("resources: ['{url}{reference}']\n");
        write(folder.path(), &[("top/kustomization.yaml", &text)]);
    };
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
    top("?ref=main");
    let offline = towtank(folder.path(), &["render", "top", "--offline"]);
    assert_eq!(offline.status.code(), Some(2));
    let message = String::from_utf8(offline.stderr).unwrap();
    assert!(message.starts_with("top/kustomization.yaml:1:13: "), "{message}");
    assert!(message.contains("--offline is given"), "{message}");
    check(folder.path(), &["render", "top"], 0, &map("first"), "");
    write(
        upstream.path(),
        &[("deploy/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\n")],
    );
    commit(upstream.path());
    check(folder.path(), &["render", "top", "--offline"], 0, &map("first"), "");
    check(folder.path(), &["render", "top"], 0, &map("second"), "");
    top(&format!("?ref={first}"));
    check(folder.path(), &["render", "top"], 0, &map("first"), "");
    fs::remove_dir_all(upstream.path().join(".git")).unwrap();
    check(folder.path(), &["render", "top"], 0, &map("first"), "");
    let mapping = format!("{url}?ref={first}={}", upstream.path().join("deploy").display());
    check(folder.path(), &["render", "top", "--map", &mapping, "--offline"], 0, &map("second"), "");
}

#[test]
fn a_file_elsewhere_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.yaml", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).unwrap();
        let body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\n";
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    write(folder.path(), &[("top/kustomization.yaml", &format!("resources: ['{url}']\n"))]);
    let expected = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: far\n";
    check(folder.path(), &["render", "top"], 0, expected, "");
    server.join().unwrap();
    check(folder.path(), &["render", "top"], 0, expected, "");
}

#[test]
fn render_does_what_flux_does_for_a_kustomization_object() {
    let folder = tempfile::tempdir().unwrap();
    let flux = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop}
spec:
  path: ./apps
  targetNamespace: shop
  namePrefix: eu-
  commonMetadata: {labels: {team: sea}}
  components: [../part]
  images: [{name: shop/cart, newTag: '7'}]
  patches:
  - target: {kind: Deployment}
    patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 4}]'
  postBuild:
    substitute: {greeting: hello}
    substituteFrom: [{kind: Secret, name: vars}, {kind: ConfigMap, name: none, optional: true}]
---
apiVersion: v1
kind: Secret
metadata: {name: vars}
stringData: {who: world}
";
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: '${greeting} ${who}'}\n";
    write(
        folder.path(),
        &[
            ("flux.yaml", flux),
            ("repo/apps/cart.yaml", DEPLOYMENT),
            ("repo/apps/map.yaml", map),
            (
                "repo/part/kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: '1'}\n",
            ),
        ],
    );
    let output = towtank(folder.path(), &["render", "repo", "--flux", "flux.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let names = [
        "name: eu-cart",
        "namespace: shop",
        "team: sea",
        "image: shop/cart:7",
        "replicas: 4",
        "a: hello world",
        "part: \"1\"",
    ];
    for name in names {
        assert!(text.contains(name), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    let message = String::from_utf8(
        towtank(folder.path(), &["render", "repo", "--flux", "repo/apps/map.yaml"]).stderr,
    );
    assert_eq!(
        message.unwrap(),
        "repo/apps/map.yaml: expected one Kustomization of kustomize.toolkit.fluxcd.io, found 0\n"
    );
}

#[test]
fn a_link_out_of_its_folder_and_a_file_outside_are_told_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    write(
        folder.path(),
        &[
            ("secret.yaml", map),
            ("top/kustomization.yaml", "resources: [link.yaml]\n"),
            ("up/kustomization.yaml", "resources: [../secret.yaml]\n"),
            ("in/kustomization.yaml", "resources: [link.yaml]\n"),
            ("in/real.yaml", map),
        ],
    );
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
    };
    link("../secret.yaml", "top/link.yaml");
    link("real.yaml", "in/link.yaml");
    let top = towtank(folder.path(), &["render", "top"]);
    let message = String::from_utf8(top.stderr).unwrap();
    assert!(
        message.starts_with("top/kustomization.yaml:1:13: resources: there is no file"),
        "{message}"
    );
    assert!(message.contains("link.yaml is a symbolic link that leads out"), "{message}");
    let up = towtank(folder.path(), &["render", "up"]);
    let message = String::from_utf8(up.stderr).unwrap();
    assert!(message.starts_with("up/kustomization.yaml:1:13: resources: file \"/"), "{message}");
    assert!(message.ends_with("secret.yaml\" is not in or below \"up\"\n"), "{message}");
    let expected = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    check(folder.path(), &["render", "in"], 0, expected, "");
}
