"""Puts a cluster to the use that Python's kubernetes client makes of one.

  client.py KUBECONFIG

Prints a line for each thing that went well; the first that does not ends it.
"""
import sys

from kubernetes import client, config, dynamic, utils, watch


def deployment(name, replicas):
    labels = {"app": name}
    container = client.V1Container(name="c", image="registry.example/c:1")
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels),
                                        spec=client.V1PodSpec(containers=[container]))
    spec = client.V1DeploymentSpec(replicas=replicas, template=template,
                                   selector=client.V1LabelSelector(match_labels=labels))
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def typed(core, apps, namespace):
    apps.create_namespaced_deployment(namespace, deployment("d", 2))
    follow = watch.Watch()
    for event in follow.stream(apps.list_namespaced_deployment, namespace, timeout_seconds=20):
        if event["object"].status.ready_replicas == 2:
            follow.stop()
    assert apps.read_namespaced_deployment("d", namespace).status.ready_replicas == 2
    apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 0}})
    apps.delete_namespaced_deployment("d", namespace, propagation_policy="Background")
    try:
        core.read_namespaced_config_map("none", namespace)
    except client.ApiException as error:
        assert error.status == 404 and error.reason == "Not Found", error
    else:
        raise AssertionError("read what is not there")


def pages(core, namespace):
    for n in range(5):
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"m{n}"), data={"n": str(n)})
        core.create_namespaced_config_map(namespace, body)
    names, token = [], None
    while True:
        page = core.list_namespaced_config_map(namespace, limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"m{n}" for n in range(5)], names


def from_yaml(api, core, namespace):
    utils.create_from_dict(api, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                                 "stringData": {"a": "b"}}, namespace=namespace)
    assert core.read_namespaced_secret("s", namespace).data == {"a": "Yg=="}


def dynamically(api, namespace):
    maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
    maps.server_side_apply(body=body, name="x", namespace=namespace, field_manager="python")
    found = maps.get(name="x", namespace=namespace)
    assert found.data.a == "1" and found.metadata.managedFields[0].operation == "Apply"


def main(kubeconfig):
    config.load_kube_config(kubeconfig)
    api = client.ApiClient()
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    checks = {"typed": lambda n: typed(core, apps, n), "pages": lambda n: pages(core, n),
              "yaml": lambda n: from_yaml(api, core, n), "dynamic": lambda n: dynamically(api, n)}
    for name, check in checks.items():
        namespace = f"python-{name}"
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
        check(namespace)
        print("ok", name)


main(*sys.argv[1:])
