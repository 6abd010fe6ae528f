"""Templates such as people write who were told that they may use Liquid, and what each makes of one customer."""

MODEL = """
CREATE TABLE people (
  full_name text, age integer, email_address text PRIMARY KEY, phone_number text,
  contacts jsonb, tags text[], address jsonb, balance numeric(22, 2), joined timestamptz, note text);
INSERT INTO people VALUES (
  'John "Johnny" Doe', 30, 'john@example.com', '+14158675309',
  '[{"type": "email", "value": "john@example.com"}, {"type": "phone", "value": "+1 \\"415\\""}]',
  '{red,"dark green"}', '{"city": "Zürich", "lines": ["Main St 1", "2nd floor"]}', 12345678901234567890.10,
  '2024-01-15 10:00:00+02', NULL);
"""

# name: (template, the body that it makes)
TEMPLATES = {
    "a condition": (
        '{"adult": {% if row.age >= 18 %}true{% else %}false{% endif %}}',
        '{"adult": true}'),
    "conditions joined, and a branch by elsif": (
        '{"band": "{% if row.age < 18 or row.age == nil %}child{% elsif row.age < 65 and row.tags contains "red" %}red{% else %}senior{% endif %}"}',
        '{"band": "red"}'),
    "a member that is there only if its column is": (
        '{"name": "{{row.full_name}}"{% if row.note %}, "note": "{{row.note}}"{% endif %}{% if row.age %}, "age": {{row.age}}{% endif %}}',
        '{"name": "John \\"Johnny\\" Doe", "age": 30}'),
    "a column by its name in quotes": (
        '{"name": "{{ row["full_name"] }}", "city": {{ row["address"] }}}',
        '{"name": "John \\"Johnny\\" Doe", "city": {"city": "Zürich", "lines": ["Main St 1", "2nd floor"]}}'),
    "an array and an object as they are": (
        '{"contacts": {{row.contacts}}, "tags": {{row.tags}}}',
        '{"contacts": [{"type": "email", "value": "john@example.com"}, {"type": "phone", "value": "+1 \\"415\\""}],'
        ' "tags": ["red","dark green"]}'),
    "comments, raw text and white space": (
        '{ {%- comment %} for the CRM {% endcomment -%} "raw": "{% raw %}{{not.mine}}{% endraw %}" }',
        '{"raw": "{{not.mine}}" }'),
    "a loop over an array of objects": (
        '{"contact_info": [{% for c in row.contacts %}{"type": "{{c.type}}", "value": "{{c.value}}"}'
        '{% unless forloop.last %}, {% endunless %}{% endfor %}]}',
        '{"contact_info": [{"type": "email", "value": "john@example.com"}, {"type": "phone", "value": "+1 \\"415\\""}]}'),
    "a loop with commas by a condition": (
        '{"tags": [{% for tag in row.tags %}"{{tag}}"{% if forloop.last == false %}, {% endif %}{% endfor %}]}',
        '{"tags": ["red", "dark green"]}'),
    "a loop over nothing": (
        '{"tags": [{% for tag in row.note %}"{{tag}}"{% else %}"none"{% endfor %}]}',
        '{"tags": ["none"]}'),
    "a loop that is cut short, with its index": (
        '{"lines": [{% for line in row.address.lines limit: 1 %}"{{forloop.index}}: {{line}}"{% endfor %}]}',
        '{"lines": ["1: Main St 1"]}'),
    "a loop over a range": (
        '{"steps": [{% for i in (1..3) %}{{i}}{% unless forloop.last %},{% endunless %}{% endfor %}]}',
        '{"steps": [1,2,3]}'),
    "a part of an object, and of an array": (
        '{"city": "{{row.address.city}}", "first": "{{row.tags[0]}}", "line": "{{row.address.lines.last}}"}',
        '{"city": "Zürich", "first": "red", "line": "2nd floor"}'),
    "a part that is not there": (
        '{"zip": "{{row.address.zip}}"}',
        '{"zip": ""}'),
    "filters on text": (
        '{"name": "{{ row.full_name | upcase | truncate: 10 }}", "first": "{{ row.full_name | split: " " | first }}"}',
        '{"name": "JOHN \\"J...", "first": "John"}'),
    "a filter that writes JSON": (
        '{"name": {{ row.full_name | json }}, "tags": {{ row.tags | json }}}',
        '{"name": "John \\"Johnny\\" Doe", "tags": ["red","dark green"]}'),
    "a default for NULL": (
        '{"note": "{{ row.note | default: "none" }}"}',
        '{"note": "none"}'),
    "arithmetic that keeps every digit": (
        '{"next": {{ row.age | plus: 1 }}, "balance": {{ row.balance | plus: 0.01 }}}',
        '{"next": 31, "balance": 12345678901234567890.11}'),
    "a date": (
        '{"joined": "{{ row.joined | date: "%d.%m.%Y %H:%M" }}"}',
        '{"joined": "15.01.2024 08:00"}'),
    "a group id made of a name": (
        '{"group": "{{ row.full_name | url_encode }}"}',
        '{"group": "John+%22Johnny%22+Doe"}'),
    "joined and sorted": (
        '{"tags": "{{ row.tags | sort | join: "; " }}", "count": {{ row.tags | size }}}',
        '{"tags": "dark green; red", "count": 2}'),
    "case": (
        '{"kind": "{% case row.age %}{% when 29, 30 %}young{% when 31 %}old{% else %}other{% endcase %}"}',
        '{"kind": "young"}'),
    "unless": (
        '{"note": "{% unless row.note %}none{% endunless %}"}',
        '{"note": "none"}'),
    "assign and capture": (
        '{% assign first = row.full_name | split: " " | first %}{% capture hello %}Hi, {{first}}!{% endcapture %}{"greeting": "{{hello}}"}',
        '{"greeting": "Hi, John!"}'),
}
