/** Templates that other templates include: `templates/_helpers.tpl`. */
export const helpers = `
{{- define "dittofs-operator.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{- define "dittofs-operator.of-release" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{- /* A list of the root and the labels that this kind of object has of its own. */ -}}
{{- define "dittofs-operator.own-labels" -}}
{{- $root := first . -}}
{{- $chart := dict "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $chart (include "dittofs-operator.of-release" $root | fromYaml) (last .) $root.Values.commonLabels) -}}
{{- end }}

{{- define "dittofs-operator.labels" -}}
{{- include "dittofs-operator.own-labels" (list . dict) -}}
{{- end }}

{{- /* Without the version of the chart: one that changes nothing of the pods must not restart them. */ -}}
{{- define "dittofs-operator.pod-labels" -}}
{{- toYaml (merge (include "dittofs-operator.of-release" . | fromYaml) .Values.podLabels .Values.commonLabels) -}}
{{- end }}

{{- define "dittofs-operator.budget" -}}
{{- with .Values.podDisruptionBudget }}
{{- if .minAvailable -}}
minAvailable: {{ .minAvailable }}
{{- else -}}
maxUnavailable: {{ .maxUnavailable | default 1 }}
{{- end }}
{{- end }}
{{- end }}
`
