interface Requirement { readonly key: string, readonly operator: string, readonly values?: readonly string[] }
/** A label selector of Kubernetes, as used in policies and webhooks. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly Requirement[]
}

function meets ({ key, operator, values = [] }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    default: return false // an operator that a later Kubernetes version has added
  }
}

/** Whether the selector matches an object with these labels. An empty selector matches everything. Pure. */
export const selects = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(one => meets(one, labels))
