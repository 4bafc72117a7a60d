/** The text that Helm prints after an install or an upgrade: `templates/NOTES.txt`. */
export const notes = `
DittoFS operator {{ .Chart.AppVersion }} is installed in the namespace {{ .Release.Namespace }}. Wait until it is ready:

  kubectl -n {{ .Release.Namespace }} rollout status deployment/dittofs-operator

It manages DittoServers in {{ with .Values.watchNamespace }}the namespace {{ . }}{{ else }}all namespaces{{ end }}
{{- if not .Values.controller.enabled }}, and only checks them: it does not reconcile{{ end }}. See them all:

  kubectl get dittoservers {{ with .Values.watchNamespace }}--namespace {{ . }}{{ else }}--all-namespaces{{ end }}
{{- if eq .Values.certificates.mode "files" }}

The Secret {{ .Values.certificates.secretName | default "dittofs-operator-files" }} must hold tls.crt and tls.key for the name
dittofs-operator-webhook.{{ .Release.Namespace }}.svc.
{{- if not .Values.certificates.caBundle }} No certificates.caBundle is set: until the webhook configurations have one, no
DittoServer can be created or changed.
{{- end }}
{{- end }}
{{- if and (eq (int .Values.replicaCount) 1) (eq .Values.webhook.validating.failurePolicy "Fail") }}

With one replica, no DittoServer can be created or changed while its pod restarts. Set replicaCount to 2 or more.
{{- end }}
{{- if eq .Values.webhook.validating.failurePolicy "Ignore" }}

webhook.validating.failurePolicy is Ignore: while no replica answers, DittoServers are stored without being checked.
{{- end }}
{{- if and .Values.hostNetwork .Values.networkPolicy.enabled }}

The NetworkPolicy does not apply to pods on the network of their node (hostNetwork).
{{- end }}
{{- if not .Values.rbac.create }}

rbac.create is false: grant the permissions that the operator needs to the ServiceAccount {{ .Values.serviceAccount.name | default "dittofs-operator" }}.
{{- end }}

helm uninstall keeps the CustomResourceDefinition, and with it every DittoServer.
`
