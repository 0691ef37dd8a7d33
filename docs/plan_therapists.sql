-- What a sync of therapists plans: the statements of run 1 of organization 1, in their order.
--
-- `make docs` writes this file from sync_core/engine (settle.py, checks, ambiguity.py, plan.py,
-- staging.py); a test compares the two, and runs the statements beside the engine. Paste it into
-- psql: it changes nothing. To look into a run that is planned at the moment, put its number for 1
-- in the names of the tables in staging, that of its organization for organization_id, and leave
-- out the first part, which makes the tables of the rows.
--
-- s: the rows that were read, t: the table that is kept up to date, p: the plan, v: what was found.
-- The first sync of an organization needs none of this where nothing is wrong: all is created.

begin;

-- The rows that were read of therapists: typed, or with their issues and raw cells
create unlogged table staging.therapists_rows_1 (
    row_number integer, _rule text, _marks bigint, _issues jsonb, _raw jsonb,
    therapist_id TEXT,
    name TEXT,
    email TEXT,
    phone TEXT,
    employment_type TEXT,
    location TEXT,
    hourly_rate NUMERIC(14, 2),
    start_date DATE,
    active BOOLEAN
) with (autovacuum_enabled = false);

-- The rows that were read of schedules: typed, or with their issues and raw cells
create unlogged table staging.schedules_rows_1 (
    row_number integer, _rule text, _marks bigint, _issues jsonb, _raw jsonb,
    therapist_id TEXT,
    weekday TEXT,
    start TIME WITHOUT TIME ZONE,
    "end" TIME WITHOUT TIME ZONE,
    location TEXT
) with (autovacuum_enabled = false);

-- Here the rows come in, a page at a time, each by one COPY.

-- Rows that a sheet was prepared with are blank
delete from staging.therapists_rows_1 d using (
    select s.row_number, count(*) over (partition by s.therapist_id, s.name, s.email, s.phone, s.employment_type, s.location, s.hourly_rate, s.start_date, s.active) as alike
    from staging.therapists_rows_1 s
    where s._issues is not null and s.therapist_id is null and s.name is null and not exists (
        select from jsonb_array_elements(s._issues) i where i ->> 'code' <> 'required'
    )
) bare
where bare.row_number = d.row_number and bare.alike >= 3;

-- A blank Active of a known record means what it has
update staging.therapists_rows_1 s set active = t.active
from therapists t
where t.organization_id = 1 and s.therapist_id = t.therapist_id and s._marks & 256 <> 0
    and t.active <> s.active;

-- Rows that repeat a key, or refer to nothing, are written down here
create unlogged table staging.therapists_findings_1 (row_number integer, issue jsonb, rule text, reason text);

-- Duplicate of an earlier row
insert into staging.therapists_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Therapist ID',
    'code', 'repeated_key',
    'sentence', concat('Duplicate of row ', first, ': ', case when coalesce(s._issues @> '[{"field": ""}]'::jsonb, false) then 'Therapist ID'::text else 'Therapist ID ' || s.therapist_id::text::text end),
    'cell', 'Therapists!A' || s.row_number
)
from staging.therapists_rows_1 s
join (
    select therapist_id, min(row_number) as first
    from staging.therapists_rows_1 group by therapist_id having count(*) > 1
) t on s.therapist_id = t.therapist_id
where s.row_number > first and s._rule is null;

-- The key looks like another one, but has other letters
with odd as materialized (
    select row_number, s.therapist_id as key, translate(lower(normalize(s.therapist_id, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx') as alike
    from staging.therapists_rows_1 s
    where s._rule is null and octet_length(s.therapist_id) <> char_length(s.therapist_id)
),
near as materialized (
    select row_number, min(k.key) as key
    from odd join (select key, translate(lower(normalize(key, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx') as alike from (select t.therapist_id as key from therapists t where t.organization_id = 1 and t._removed_at is null union select r.therapist_id from staging.therapists_rows_1 r) t) k using (alike)
    where lower(k.key) <> lower(odd.key)
    group by 1
)
insert into staging.therapists_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Therapist ID',
    'code', 'looks_like_another',
    'sentence', concat(case when coalesce(s._issues @> '[{"field": ""}]'::jsonb, false) then 'Therapist ID'::text else 'Therapist ID ' || s.therapist_id::text end, ' looks like ', near.key, ', but is written in letters of another alphabet'),
    'cell', 'Therapists!A' || s.row_number
)
from staging.therapists_rows_1 s join near using (row_number);

-- The key is a known one, but for zeros, which is gone
with new as materialized (
    select row_number, ltrim(regexp_replace(s.therapist_id, '[.]0$', ''), '0') as digits
    from staging.therapists_rows_1 s
    where s._rule is null and s.therapist_id ~ '^[0-9]+([.]0)?$' and not exists (
        select from therapists t where s.therapist_id = t.therapist_id and t._removed_at is null
    )
),
near as materialized (
    select n.row_number, min(t.therapist_id) as key
    from new n join therapists t on ltrim(t.therapist_id, '0') = n.digits
    where t.organization_id = 1 and t._removed_at is null
        and not exists (select from staging.therapists_rows_1 s where s.therapist_id = t.therapist_id)
    group by 1
)
insert into staging.therapists_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Therapist ID',
    'code', 'zeros_lost',
    'sentence', concat(case when coalesce(s._issues @> '[{"field": ""}]'::jsonb, false) then 'Therapist ID'::text else 'Therapist ID ' || s.therapist_id::text end, ' is not known, but ', near.key, ' is, and is in no row: only zeros differ'),
    'cell', 'Therapists!A' || s.row_number
)
from staging.therapists_rows_1 s join near using (row_number);

-- Location names a record that is not there, or that did not make it
insert into staging.therapists_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Location',
    'code', 'unknown_reference',
    'sentence', concat(case when coalesce(s._issues @> '[{"field": ""}]'::jsonb, false) then 'Location'::text else 'Location ' || s.location::text end, ' does not exist', ''),
    'cell', 'Therapists!F' || s.row_number
)
from staging.therapists_rows_1 s
where s.location is not null and s._rule is null and not exists (
    select from locations r
    where r.organization_id = 1 and r.location_code = s.location
        and r._removed_at is null
);

-- Location: what it may have meant is told
with lost as materialized (
    select distinct s.location as value
    from staging.therapists_findings_1 v
    join staging.therapists_rows_1 s using (row_number)
    where v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Location' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false)
),
near as materialized (
    select value, key
    from (select value, ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(value, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded from lost) l
    join (
        select ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(key, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded, min(key) as key
        from (select t.location_code as key from locations t where t.organization_id = 1 and t._removed_at is null) k where key is not null group by 1
    ) t using (folded)
)
update staging.therapists_findings_1 v set issue = jsonb_build_object(
    'field', 'Location',
    'code', 'unknown_reference',
    'sentence', concat(case when coalesce(s._issues @> '[{"field": ""}]'::jsonb, false) then 'Location'::text else 'Location ' || s.location::text end, ' does not exist', format(', but %s does: only %s differ', near.key, case when lower(near.key) = lower(s.location) then 'capitals' when ltrim(regexp_replace(regexp_replace(lower(near.key), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') = ltrim(regexp_replace(regexp_replace(lower(s.location), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') then 'capitals, blanks, marks or zeros in front' else 'letters that look alike' end)),
    'cell', 'Therapists!F' || s.row_number
)
from staging.therapists_rows_1 s
join near on near.value = s.location
where s.row_number = v.row_number and v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Location' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false);

-- Another cell of the column shows that it may mean something else
insert into staging.therapists_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Hourly rate',
    'code', 'ambiguous_cell',
    'sentence', concat('Hourly rate', ' is ambiguous', '', ': ', 'Therapists!G9', ' shows ', 'numbers like 1.234,50; write them like 1,234.50'),
    'cell', 'Therapists!G' || s.row_number
)
from staging.therapists_rows_1 s
where s._rule is null and s._marks & 64 <> 0 and case when scale(trim_scale(case when abs(s.hourly_rate) < 1000 then s.hourly_rate * 1000.0 else s.hourly_rate / 1000.0 end)) <= 2 then trim_scale(case when abs(s.hourly_rate) < 1000 then s.hourly_rate * 1000.0 else s.hourly_rate / 1000.0 end) else s.hourly_rate end is distinct from s.hourly_rate;

-- What differs from the table: created, or updated
create unlogged table staging.therapists_plan_1 with (autovacuum_enabled = false) as
select
    s.row_number,
    case when t.therapist_id is null then 'created' else 'updated' end as kind,
    s.therapist_id as _therapist_id,
    coalesce(s.name, s.therapist_id::text) as name,
    null::text as rule,
    case when t.therapist_id is not null then
        case when s.name is distinct from t.name
            then jsonb_build_object('name', jsonb_build_array(t.name, s.name))
            else '{}' end
        || case when s.email is distinct from t.email
            then jsonb_build_object('email', jsonb_build_array(t.email, s.email))
            else '{}' end
        || case when s.phone is distinct from t.phone
            then jsonb_build_object('phone', jsonb_build_array(t.phone, s.phone))
            else '{}' end
        || case when s.employment_type is distinct from t.employment_type
            then jsonb_build_object('employment_type', jsonb_build_array(t.employment_type, s.employment_type))
            else '{}' end
        || case when s.location is distinct from t.location
            then jsonb_build_object('location', jsonb_build_array(t.location, s.location))
            else '{}' end
        || case when s.hourly_rate is distinct from t.hourly_rate
            then jsonb_build_object('hourly_rate', jsonb_build_array(t.hourly_rate, s.hourly_rate))
            else '{}' end
        || case when s.start_date is distinct from t.start_date
            then jsonb_build_object('start_date', jsonb_build_array(t.start_date, s.start_date))
            else '{}' end
        || case when s.active is distinct from t.active
            then jsonb_build_object('active', jsonb_build_array(t.active, s.active))
            else '{}' end
        || case when t._removed_at is not null
            then jsonb_build_object('_removed_at', jsonb_build_array(t._removed_at, null))
            else '{}' end
    end as changes,
    null::jsonb as issues,
    null::jsonb as raw,
    coalesce(hashtextextended(s.therapist_id, 1), 0)
    # coalesce(hashtextextended(s.name, 2), 0)
    # coalesce(hashtextextended(s.email, 3), 0)
    # coalesce(hashtextextended(s.phone, 4), 0)
    # coalesce(hashtextextended(s.employment_type, 5), 0)
    # coalesce(hashtextextended(s.location, 6), 0)
    # coalesce(hash_numeric_extended(s.hourly_rate, 7), 0)
    # coalesce(hashint4extended(s.start_date - date '2000-01-01', 8), 0)
    # coalesce(hashint4extended(s.active::integer, 9), 0) as row_hash,
    s.ctid as tid
from staging.therapists_rows_1 s
left join therapists t on t.organization_id = 1 and s.therapist_id = t.therapist_id
where s._issues is null and s._rule is null
    and not exists (select from staging.therapists_findings_1 v where v.row_number = s.row_number)
    and (
        t.therapist_id is null
        or t._removed_at is not null
        or s.name is distinct from t.name
        or s.email is distinct from t.email
        or s.phone is distinct from t.phone
        or s.employment_type is distinct from t.employment_type
        or s.location is distinct from t.location
        or s.hourly_rate is distinct from t.hourly_rate
        or s.start_date is distinct from t.start_date
        or s.active is distinct from t.active
    );

-- What is left out: failed, or skipped by a rule
insert into staging.therapists_plan_1 (row_number, kind, _therapist_id, name, rule, issues, raw)
select
    s.row_number,
    case when coalesce(s._rule, v.rule) is null then 'failed' else 'skipped' end,
    s.therapist_id,
    coalesce(coalesce(s.name, s.therapist_id::text), 'row ' || s.row_number),
    coalesce(s._rule, v.rule),
    case
        when coalesce(s._rule, v.rule) is null
        then coalesce(s._issues, '[]') || coalesce(v.issues, '[]')
        else jsonb_build_array(jsonb_build_object(
            'field', 'Therapist ID',
            'code', 'rule',
            'sentence', concat(coalesce(case s._rule when 'FLAT' then 'FLAT employment type' end, v.reason)),
            'cell', 'Therapists!A' || s.row_number
        ))
    end,
    coalesce(s._raw, jsonb_strip_nulls(jsonb_build_object(
        'Therapist ID', s.therapist_id::text,
        'Name', s.name::text,
        'Email', s.email::text,
        'Phone', s.phone::text,
        'Employment type', s.employment_type::text,
        'Location', s.location::text,
        'Hourly rate', s.hourly_rate::text,
        'Start date', s.start_date::text,
        'Active', s.active::text
    )))
from staging.therapists_rows_1 s
left join (
    select
        row_number,
        min(rule) as rule,
        min(reason) as reason,
        jsonb_agg(issue) filter (where issue is not null) as issues
    from staging.therapists_findings_1 group by row_number
) v using (row_number)
where s._rule is distinct from 'withdrawn'
    and (s._issues is not null or s._rule is not null or v.row_number is not null);

-- What is gone from the source, where that is removed and every key can be read
insert into staging.therapists_plan_1 (kind, _therapist_id, name, changes)
select
    'removed',
    t.therapist_id,
    coalesce(t.name, t.therapist_id::text),
    jsonb_build_object(
        'therapist_id', t.therapist_id,
        'name', t.name,
        'email', t.email,
        'phone', t.phone,
        'employment_type', t.employment_type,
        'location', t.location,
        'hourly_rate', t.hourly_rate,
        'start_date', t.start_date,
        'active', t.active
    )
from therapists t
where t.organization_id = 1 and t._removed_at is null
    and not exists (
        select from staging.therapists_rows_1 s where s.therapist_id = t.therapist_id and s._rule is distinct from 'withdrawn'
    );

-- Email: a record holds the value; both again until nothing changes
update staging.therapists_plan_1 p
set
    kind = 'failed',
    changes = null,
    issues = jsonb_build_array(lost.issue),
    raw = jsonb_strip_nulls(jsonb_build_object(
        'Therapist ID', s.therapist_id::text,
        'Name', s.name::text,
        'Email', s.email::text,
        'Phone', s.phone::text,
        'Employment type', s.employment_type::text,
        'Location', s.location::text,
        'Hourly rate', s.hourly_rate::text,
        'Start date', s.start_date::text,
        'Active', s.active::text
    ))
from (
    select distinct on (s.row_number) s.row_number, jsonb_build_object(
        'field', 'Email',
        'code', 'not_unique',
        'sentence', concat('Email', ' already exists'),
        'cell', 'Therapists!C' || s.row_number,
        'beside', coalesce('row ' || n.row_number, coalesce(t.name, t.therapist_id::text), 'another record')
    ) as issue
    from (
        select p.row_number, p._therapist_id as therapist_id, s.email as _value
        from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
        where s.email is not null
            and (p.kind = 'created' or p.kind = 'updated' and p.changes ? 'email')
    ) s
    join therapists t on t.organization_id = 1 and t.email = s._value
        and (s.therapist_id) is distinct from (t.therapist_id)
    left join staging.therapists_rows_1 n on n.therapist_id = t.therapist_id
    where not exists (
        select from staging.therapists_plan_1 p
        where p._therapist_id = t.therapist_id and (
            p.kind = 'updated' and p.changes ? 'email' or p.kind = 'removed' and false
        )
    )
    order by s.row_number, n.row_number
) lost
join staging.therapists_rows_1 s using (row_number)
where p.row_number = lost.row_number;

-- Email: an earlier row gets the value
update staging.therapists_plan_1 p
set
    kind = 'failed',
    changes = null,
    issues = jsonb_build_array(lost.issue),
    raw = jsonb_strip_nulls(jsonb_build_object(
        'Therapist ID', s.therapist_id::text,
        'Name', s.name::text,
        'Email', s.email::text,
        'Phone', s.phone::text,
        'Employment type', s.employment_type::text,
        'Location', s.location::text,
        'Hourly rate', s.hourly_rate::text,
        'Start date', s.start_date::text,
        'Active', s.active::text
    ))
from (
    select s.row_number, jsonb_build_object(
        'field', 'Email',
        'code', 'not_unique',
        'sentence', concat('Email', ' already exists'),
        'cell', 'Therapists!C' || s.row_number,
        'beside', coalesce('row ' || n.row_number, null, 'another record')
    ) as issue
    from (
        select p.row_number, p._therapist_id as therapist_id, s.email as _value
        from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
        where s.email is not null
            and (p.kind = 'created' or p.kind = 'updated' and p.changes ? 'email')
    ) s
    join (
        select distinct on (_value) * from (
            select p.row_number, p._therapist_id as therapist_id, s.email as _value
            from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
            where s.email is not null
                and (p.kind = 'created' or p.kind = 'updated' and p.changes ? 'email')
        ) w order by _value, row_number
    ) n on n._value = s._value and n.row_number <> s.row_number
        and (s.therapist_id) is distinct from (n.therapist_id)
) lost
join staging.therapists_rows_1 s using (row_number)
where p.row_number = lost.row_number;

-- Email: a record holds the value, of a row that has failed already
update staging.therapists_plan_1 p
set issues = issues || lost.issue
from (
    select distinct on (s.row_number) s.row_number, jsonb_build_object(
        'field', 'Email',
        'code', 'not_unique',
        'sentence', concat('Email', ' already exists'),
        'cell', 'Therapists!C' || s.row_number,
        'beside', coalesce('row ' || n.row_number, coalesce(t.name, t.therapist_id::text), 'another record')
    ) as issue
    from (
        select p.row_number, p._therapist_id as therapist_id, s.email as _value
        from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
        where s.email is not null and p.kind = 'failed' and not p.issues
            @> jsonb_build_array(jsonb_build_object('field', 'Email', 'code', 'not_unique'))
    ) s
    join therapists t on t.organization_id = 1 and t.email = s._value
        and (s.therapist_id) is distinct from (t.therapist_id)
    left join staging.therapists_rows_1 n on n.therapist_id = t.therapist_id
    where not exists (
        select from staging.therapists_plan_1 p
        where p._therapist_id = t.therapist_id and (
            p.kind = 'updated' and p.changes ? 'email' or p.kind = 'removed' and false
        )
    )
    order by s.row_number, n.row_number
) lost
where p.row_number = lost.row_number;

-- Email: an earlier row gets the value, of a row that has failed already
update staging.therapists_plan_1 p
set issues = issues || lost.issue
from (
    select s.row_number, jsonb_build_object(
        'field', 'Email',
        'code', 'not_unique',
        'sentence', concat('Email', ' already exists'),
        'cell', 'Therapists!C' || s.row_number,
        'beside', coalesce('row ' || n.row_number, null, 'another record')
    ) as issue
    from (
        select p.row_number, p._therapist_id as therapist_id, s.email as _value
        from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
        where s.email is not null and p.kind = 'failed' and not p.issues
            @> jsonb_build_array(jsonb_build_object('field', 'Email', 'code', 'not_unique'))
    ) s
    join (
        select distinct on (_value) * from (
            select p.row_number, p._therapist_id as therapist_id, s.email as _value
            from staging.therapists_plan_1 p join staging.therapists_rows_1 s using (row_number)
            where s.email is not null
                and (p.kind = 'created' or p.kind = 'updated' and p.changes ? 'email')
        ) w order by _value, row_number
    ) n on n._value = s._value and n.row_number <> s.row_number
        and (s.therapist_id) is distinct from (n.therapist_id)
) lost
where p.row_number = lost.row_number;

-- How many rows that makes; all others are unchanged
select kind, rule, count(*) from staging.therapists_plan_1 group by kind, rule order by rule;

-- Rows that a sheet was prepared with are blank
delete from staging.schedules_rows_1 d using (
    select s.row_number, count(*) over (partition by s.therapist_id, s.weekday, s.start, s."end", s.location) as alike
    from staging.schedules_rows_1 s
    where s._issues is not null and s.therapist_id is null and s.weekday is null and s.start is null and s."end" is null and not exists (
        select from jsonb_array_elements(s._issues) i where i ->> 'code' <> 'required'
    )
) bare
where bare.row_number = d.row_number and bare.alike >= 3;

-- Rows that repeat a key, or refer to nothing, are written down here
create unlogged table staging.schedules_findings_1 (row_number integer, issue jsonb, rule text, reason text);

-- Duplicate of an earlier row
insert into staging.schedules_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Therapist ID',
    'code', 'repeated_key',
    'sentence', concat('Duplicate of row ', first, ': ', 'Therapist ID + Weekday + Start ' || s.therapist_id::text || ' ' || s.weekday::text || ' ' || s.start::text::text),
    'cell', 'Schedules!A' || s.row_number
)
from staging.schedules_rows_1 s
join (
    select therapist_id, weekday, start, min(row_number) as first
    from staging.schedules_rows_1 group by therapist_id, weekday, start having count(*) > 1
) t on s.therapist_id = t.therapist_id and s.weekday = t.weekday and s.start = t.start
where s.row_number > first and s._rule is null;

-- Therapist ID names a record that is not there, or that did not make it
insert into staging.schedules_findings_1
select
    s.row_number,
    case
        when r.row_number is null then jsonb_build_object(
            'field', 'Therapist ID',
            'code', 'unknown_reference',
            'sentence', concat('Therapist ID ' || s.therapist_id::text, ' does not exist', ''),
            'cell', 'Schedules!A' || s.row_number
        )
        when v.kind = 'failed' then jsonb_build_object(
            'field', 'Therapist ID',
            'code', 'parent_failed',
            'sentence', concat('Therapist ID ' || s.therapist_id::text, ' failed (row ', r.row_number, ')'),
            'cell', 'Schedules!A' || s.row_number,
            'cause', r.row_number
        )
    end,
    v.rule,
    v.issues -> 0 ->> 'sentence'
from staging.schedules_rows_1 s
left join (
    select therapist_id as key, min(row_number) as row_number
    from staging.therapists_rows_1 group by 1
) r on r.key = s.therapist_id
left join staging.therapists_plan_1 v on v.row_number = r.row_number
where s.therapist_id is not null and s._rule is null and (
    v.kind in ('failed', 'skipped')
    or r.row_number is null and not exists (
        select from therapists t
        where t.organization_id = 1 and t.therapist_id = s.therapist_id
            and t._removed_at is null and not exists (
                select from staging.therapists_plan_1 p
                where p.kind = 'removed' and p._therapist_id = t.therapist_id
            )
    )
);

-- Location names a record that is not there, or that did not make it
insert into staging.schedules_findings_1
select s.row_number, jsonb_build_object(
    'field', 'Location',
    'code', 'unknown_reference',
    'sentence', concat('Location ' || s.location::text, ' does not exist', ''),
    'cell', 'Schedules!E' || s.row_number
)
from staging.schedules_rows_1 s
where s.location is not null and s._rule is null and not exists (
    select from locations r
    where r.organization_id = 1 and r.location_code = s.location
        and r._removed_at is null
);

-- Therapist ID: what it may have meant is told
with lost as materialized (
    select distinct s.therapist_id as value
    from staging.schedules_findings_1 v
    join staging.schedules_rows_1 s using (row_number)
    where v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Therapist ID' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false)
),
near as materialized (
    select value, key
    from (select value, ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(value, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded from lost) l
    join (
        select ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(key, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded, min(key) as key
        from (select t.therapist_id as key from therapists t where t.organization_id = 1 and t._removed_at is null union select r.therapist_id from staging.therapists_rows_1 r) k where key is not null group by 1
    ) t using (folded)
)
update staging.schedules_findings_1 v set issue = jsonb_build_object(
    'field', 'Therapist ID',
    'code', 'unknown_reference',
    'sentence', concat('Therapist ID ' || s.therapist_id::text, ' does not exist', format(', but %s does: only %s differ', near.key, case when lower(near.key) = lower(s.therapist_id) then 'capitals' when ltrim(regexp_replace(regexp_replace(lower(near.key), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') = ltrim(regexp_replace(regexp_replace(lower(s.therapist_id), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') then 'capitals, blanks, marks or zeros in front' else 'letters that look alike' end)),
    'cell', 'Schedules!A' || s.row_number
)
from staging.schedules_rows_1 s
join near on near.value = s.therapist_id
where s.row_number = v.row_number and v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Therapist ID' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false);

-- Location: what it may have meant is told
with lost as materialized (
    select distinct s.location as value
    from staging.schedules_findings_1 v
    join staging.schedules_rows_1 s using (row_number)
    where v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Location' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false)
),
near as materialized (
    select value, key
    from (select value, ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(value, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded from lost) l
    join (
        select ltrim(regexp_replace(regexp_replace(lower(translate(lower(normalize(key, nfkc)), 'авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'abekmhopctyxijsabekmhopctyxijsabezhikmnoptyxabezhikmnoptyx')), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') as folded, min(key) as key
        from (select t.location_code as key from locations t where t.organization_id = 1 and t._removed_at is null) k where key is not null group by 1
    ) t using (folded)
)
update staging.schedules_findings_1 v set issue = jsonb_build_object(
    'field', 'Location',
    'code', 'unknown_reference',
    'sentence', concat('Location ' || s.location::text, ' does not exist', format(', but %s does: only %s differ', near.key, case when lower(near.key) = lower(s.location) then 'capitals' when ltrim(regexp_replace(regexp_replace(lower(near.key), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') = ltrim(regexp_replace(regexp_replace(lower(s.location), '(^|[^0-9])0+([0-9])', '\1\2', 'g'), '[^[:alnum:]]+', '', 'g'), '0') then 'capitals, blanks, marks or zeros in front' else 'letters that look alike' end)),
    'cell', 'Schedules!E' || s.row_number
)
from staging.schedules_rows_1 s
join near on near.value = s.location
where s.row_number = v.row_number and v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = 'Location' and not coalesce(s._issues @> '[{"field": ""}]'::jsonb, false);

-- What differs from the table: created, or updated
create unlogged table staging.schedules_plan_1 with (autovacuum_enabled = false) as
select
    s.row_number,
    case when t.therapist_id is null then 'created' else 'updated' end as kind,
    s.therapist_id as _therapist_id, s.weekday as _weekday, s.start as _start,
    s.therapist_id::text || ' ' || s.weekday::text || ' ' || s.start::text as name,
    null::text as rule,
    case when t.therapist_id is not null then
        case when s."end" is distinct from t."end"
            then jsonb_build_object('end', jsonb_build_array(t."end", s."end"))
            else '{}' end
        || case when s.location is distinct from t.location
            then jsonb_build_object('location', jsonb_build_array(t.location, s.location))
            else '{}' end
        || case when t._removed_at is not null
            then jsonb_build_object('_removed_at', jsonb_build_array(t._removed_at, null))
            else '{}' end
    end as changes,
    null::jsonb as issues,
    null::jsonb as raw,
    coalesce(hashtextextended(s.therapist_id, 1), 0)
    # coalesce(hashtextextended(s.weekday, 2), 0)
    # coalesce(hash_record_extended(row(s.start), 3), 0)
    # coalesce(hash_record_extended(row(s."end"), 4), 0)
    # coalesce(hashtextextended(s.location, 5), 0) as row_hash,
    s.ctid as tid
from staging.schedules_rows_1 s
left join schedules t on t.organization_id = 1 and s.therapist_id = t.therapist_id and s.weekday = t.weekday and s.start = t.start
where s._issues is null and s._rule is null
    and not exists (select from staging.schedules_findings_1 v where v.row_number = s.row_number)
    and (
        t.therapist_id is null
        or t._removed_at is not null
        or s."end" is distinct from t."end"
        or s.location is distinct from t.location
    );

-- What is left out: failed, or skipped by a rule
insert into staging.schedules_plan_1 (row_number, kind, _therapist_id, _weekday, _start, name, rule, issues, raw)
select
    s.row_number,
    case when coalesce(s._rule, v.rule) is null then 'failed' else 'skipped' end,
    s.therapist_id, s.weekday, s.start,
    coalesce(s.therapist_id::text || ' ' || s.weekday::text || ' ' || s.start::text, 'row ' || s.row_number),
    coalesce(s._rule, v.rule),
    case
        when coalesce(s._rule, v.rule) is null
        then coalesce(s._issues, '[]') || coalesce(v.issues, '[]')
        else jsonb_build_array(jsonb_build_object(
            'field', 'Therapist ID',
            'code', 'rule',
            'sentence', concat(coalesce(null, v.reason)),
            'cell', 'Schedules!A' || s.row_number
        ))
    end,
    coalesce(s._raw, jsonb_strip_nulls(jsonb_build_object(
        'Therapist ID', s.therapist_id::text,
        'Weekday', s.weekday::text,
        'Start', s.start::text,
        'End', s."end"::text,
        'Location', s.location::text
    )))
from staging.schedules_rows_1 s
left join (
    select
        row_number,
        min(rule) as rule,
        min(reason) as reason,
        jsonb_agg(issue) filter (where issue is not null) as issues
    from staging.schedules_findings_1 group by row_number
) v using (row_number)
where s._rule is distinct from 'withdrawn'
    and (s._issues is not null or s._rule is not null or v.row_number is not null);

-- What is gone from the source, where that is removed and every key can be read
insert into staging.schedules_plan_1 (kind, _therapist_id, _weekday, _start, name, changes)
select
    'removed',
    t.therapist_id, t.weekday, t.start,
    t.therapist_id::text || ' ' || t.weekday::text || ' ' || t.start::text,
    jsonb_build_object(
        'therapist_id', t.therapist_id,
        'weekday', t.weekday,
        'start', t.start,
        'end', t."end",
        'location', t.location
    )
from schedules t
where t.organization_id = 1 and t._removed_at is null
    and not exists (
        select from staging.schedules_rows_1 s where s.therapist_id = t.therapist_id and s.weekday = t.weekday and s.start = t.start and s._rule is distinct from 'withdrawn'
    );

-- How many rows that makes; all others are unchanged
select kind, rule, count(*) from staging.schedules_plan_1 group by kind, rule order by rule;

rollback;
