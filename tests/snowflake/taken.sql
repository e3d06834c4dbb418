-- What Snowflake takes, close to what a rule catches, by rule; then what else its documentation shows.

-- syntax
select a, from t

-- function
select db.own.strptime(a, 'x'), strtok(a, '-', 1) from t

-- arguments
select coalesce(a, b), log(10, a), split_part(a, '.', 1) from t

-- argument-form
select trim(a, ' '), position('a' in b), extract(year from d) from t; select array_agg(a) within group (order by b) from t

-- type
select a::number(38, 37), b::timestamp_ntz(0), c::number(10, 0), d::number(5), e::varchar from t
select a::array(int), b::map(varchar, int), c::uuid, d::timestamp_ntz(9), e::double precision from t

-- date-part
select date_trunc('quarter', d), date_part(epoch_millisecond, d), dateadd(hh, 1, d) from t

-- reserved
select 1 as rank, 2 as comment, 3 as date, 4 as value from t as source

-- regex
select regexp_substr(a, '[^)]*', 1, 1, 'i') from t

-- regex-escape
select regexp_like(a, '\\d+'), regexp_like(a, $$\d$$), 'a\tb' from t

-- regex-flags
select regexp_replace(a, 'b', 'c', 1, 0, 'i') from t

-- literal
select x'FF', $$it's$$, 1000000, a_1_000, $set_before from t

-- struct
select {'a': 1}, a['map'], object_construct('a', 1), t.map from t sample row (10 rows)

-- slice
select a[1], a:b[0]:c, array_slice(a, 0, 2), a['x:y'] from t

-- lambda
select filter(a, x -> x > 1), lambda from t

-- aggregate-filter
select filter(b, x -> x > 1) from t; select count_if(a) from t

-- distinct-on
select distinct on_time from t

-- time-zone
select convert_timezone('UTC', a) from t at(offset => -60)

-- integer-division
// a comment
    select 'http://x' from t

-- interval
select d + interval '1 day', d - interval '1 month, 2 days' from t

-- limit
select * from t limit null offset 1
select top 5 a from t limit 10 offset 2

-- operator
select a || b, bitand(a, b), a % 2, a != b, a <> b from @~/x (file_format => 'f')

-- assignment
select own.f(x => 1)

-- join
select a from t left join u using (a) full outer join v using (a) natural join w

-- asof
select a from t asof join u match_condition (t.x >= u.x) on t.a = u.a
select a from t asof join u match_condition (to_date(coalesce(t.x, t.y)) < u.x)

-- from-first
copy into t from @s; select extract(day from d) from t

-- columns
select columns from t

-- star
select * ilike 'a%', t.* exclude (b) rename (c as d) from t

-- sample
select a from t sample (10) repeatable (1)

-- upsert
insert overwrite into t select * from u

-- merge
merge into t using s on t.a = s.a when matched and s.b then delete when not matched then insert (a) values (s.a)

-- set-operator
select a from t union all select a from u except select a from v

-- materialized
create materialized view v as select a from t

-- named-window
select sum(a) over (order by b) as window_sum from t

-- frame
select sum(a) over (order by b rows between 2 preceding and current row), max(a) over (order by b rows between 1 following and 2 following) from t
select * exclude a, sum(a) over (order by b range between unbounded preceding and current row) from t

-- any-list
select a from t where a = any (select b from u) and c like any ('x%', 'y%')

-- statement
set x = 1; create sequence s; describe table t; explain select 1

-- create
create or replace table t (a int); create table if not exists u (b int)

-- alter
alter table t rename column a to b; alter table t alter column a set data type varchar(9); alter table t rename to u

-- copy
copy into @s/x from t file_format = (type = csv)

-- copy-select
copy into t from (select iff($3 is null, $1::int, null), nullif(x.$2, ''), metadata$filename from @s x)

-- copy-limit
copy into t from @s files = ('a', 'b')

-- backtick
select "a`b" from t

-- method
select snowflake.cortex.complete('m', 'x'), a.b:c from a

-- ordinality
select f.index, f.value from t, lateral flatten(input => t.a) as f

-- order-of-window
select first_value(a) ignore nulls over (order by b), lag(a) over (order by b) from t
select row_number() over (order by a), sum(a) over (partition by b) from t

-- window
select a, sum(b) from t where a > 1 group by a having sum(b) > 1 qualify sum(sum(b)) over (order by a) > 2

-- grouping
select hll_accumulate(a), bitmap_construct_agg(b), count(*) from t
select upper(a), b + 1, count(*), max(c) - min(c), 'x' from t group by upper(a), b + 1

-- subquery
select a, (select max(u.b) from u where u.a = t.a) from t where exists (select 1 from u where u.a = t.a and u.b > 1)

-- operand
select try_cast(b::varchar as int), 'a' || 1 from t; select sum(iff(a, 1, 0)), count(true) from t

-- name
select x from (select a from t) as u (x)
select * rename (a as b) from (select a from t) order by b
select t.a from identifier('t')
select s.nextval from t
select t.a, f.value:b from t, lateral flatten(input => t.c) f
select a, b as c from (select a, b from t) as u where u.b > 1 order by c
select (select max(v.a) from v where v.b = t.b) from t
merge into t using u on t.a = u.a when matched then update set t.b = u.b
select x.a from x at (offset => -60) as x
insert into t (a, b) values (1, 2)
grant select on table t to role r
with x as (select 1 as a), y as (select 1 as a, 2 as b) select x.a, b from x inner join y on x.a = y.a

-- columns-count
create view v (a, b comment 'x') as select 1, 2
select 1, 2 union all select a, b from t; insert into t (a, b) values (1, 2), (3, 4)

-- ddl-in-transaction
create temporary table t (a int); begin; insert into t values (1); commit

-- drop
drop table if exists t cascade; drop function f(int, varchar); drop procedure p(); alter table t drop column a, b

-- only
select only, a from t; select a from only where b = 1; select a from only_t

-- identity
create table t (a int identity (1, 1), b int autoincrement); create sequence s start = 1 increment = 2 order

-- language
create function f() returns float language python runtime_version = '3.11' handler = 'g' as $$ $$; select language from t

-- collation
select a from t order by collate(a, 'de'), b collate 'en-ci'

-- grant
grant all on schema s to role r with grant option; grant role a to role b; grant create schema on database d to r; revoke select on all views in schema s from role r

grant usage on schema s to role r; grant select, insert, evolve schema on table t to role r; grant references on view v to role r
grant usage, read, write on stage s to role r; grant select on future tables in schema s to role r; grant usage on file format f to role r
grant operate, monitor on warehouse w to role r; grant usage on database role d.r to role q; grant ownership on view v to role r

-- materialized-view
create materialized view v as select a, sum(b) as s from t where a > 1 group by a; create view w as select a from t order by a

-- cast
select cast(trim(coalesce(a, b)) as varchar), try_cast((a || b) as int) from t
select '1'::int, 1::varchar, true::int, current_date()::timestamp_ntz, sysdate()::date, 1::boolean, parse_json('1')::date, 0::timestamp_ntz

-- with
insert into t with a as (select 1 as x) select x from a; create table u as with a as (select 1 as x) select x from a; with a as (select 1 as x) select x from a

-- table-function
select * from table(flatten([1, 2])), table(generator(rowcount => 5)) as g, lateral flatten(t.a), identifier('t') as i

-- lateral
select * from t inner join table(generator(rowcount => 5)) g on true; select f.value from t cross join table(flatten(t.a)) f
select * from t, lateral (select max(b) as m from u where u.a = t.a) x, lateral flatten(t.c) f; select * from t inner join (select a from u) v on v.a = t.a

-- option
copy into t from @s files = ('a.csv') on_error = 'skip_file_10%' match_by_column_name = case_sensitive purge = true force = false
copy into t from @s validation_mode = return_10_rows; copy into t from @s on_error = skip_file_5 load_mode = full_ingest
copy into t from @s file_format = (type = csv parse_header = true skip_header = 0); copy into t from @s file_format = (type = 'csv' skip_header = 2)
copy into @s from (select a as on_error from t) file_format = (type = parquet compression = snappy) header = true
create stage s url = 's3://b/x' storage_integration = i encryption = (type = 'AWS_SSE_KMS' kms_key_id = 'x') directory = (enable = true)
create warehouse w warehouse_size = '2X-LARGE' warehouse_type = 'SNOWPARK-OPTIMIZED'; alter warehouse w set warehouse_size = xxlarge
create user u type = person; alter user u set type = legacy_service; alter user u set type = null
create dynamic table d clone e; create or replace dynamic table d target_lag = '20 minutes' warehouse = w as select 'x' as warehouse_size
create or replace task k schedule = '10 SECONDS' as call p(); create task k schedule = '2 hours' as select 1; alter task k set schedule = '1 minute'
create task k schedule = 'USING CRON 0 0 10-20/2 * TUE,THU America/Los_Angeles' as select 1; create task k schedule = 'using cron 0 9 L * 5L Etc/GMT+2' as select 1
create task k user_task_managed_initial_warehouse_size = 'XSMALL' when system$stream_has_data('s') as insert into t select 1; create task k warehouse = w after a, b as call p()
create resource monitor m with credit_quota = 10 frequency = weekly start_timestamp = immediately triggers on 80 percent do notify
create storage integration i type = external_stage storage_provider = 'AZURE' enabled = false azure_tenant_id = 'x' storage_allowed_locations = ('*')
alter storage integration i set enabled = true; select a from t where schedule = 'never' and type = 'robot'
create table t (type varchar default 'robot', on_error varchar); update t set type = 'robot', on_error = 'ignore'

-- block
execute immediate $$ begin let x := case when true then 1 else 2 end; if (x = 1) then return 2; else return 3; end if; end $$
execute immediate $$ begin repeat x := x + 1; until (x > 3) end repeat; case (x) when 1 then return 1; else return 2; end case; end; $$
create procedure p() returns varchar language python runtime_version = '3.11' handler = 'g' packages = ('x') as $$ def g(): return 1 $$
begin transaction; insert into t values (1); commit
create or replace procedure p() returns varchar language sql as
    $$
    declare
        my_exception exception (-20002, 'x');
    begin
        let counter := 0;
        loop
            counter := counter + 1;
            if (counter > 5) then
                break;
            end if;
        end loop;
        -- a comment; with begin and end
        begin transaction;
        insert into t select case a when 1 then 'x' else 'y' end from u;
        commit;
        case
            when counter = 1 then
                return 'one';
            when counter = 2 then
                let x := (select max(case when b then 1 end) from t);
                return 'two';
            else
                return 'end; let';
        end;
        raise my_exception;
    exception
        when statement_error then
            return object_construct('a', sqlcode);
        when other then
            raise;
    end;
    $$

-- others
create alert a warehouse = w schedule = '1 minute' if (exists (select 1 from t where b > 1)) then insert into u values (1)
create or replace alert a schedule = 'USING CRON 0 9 * * * UTC' if (exists (show tables)) then begin insert into t values (1); call p(); end
execute alert a; alter alert a resume; show alerts; show semantic views in schema s; drop semantic view v; alter semantic view v set comment = 'x'
show dynamic tables; show alerts like 'x%'
create semantic view v tables (o as s.orders primary key (id) with synonyms ('x') comment = 'y', c as s.customers primary key (id)) relationships (o_c as o (c_id) references c) facts (o.f as amount * 2) dimensions (c.name as customers.name) metrics (o.n as count(distinct id))
alter session set json_indent = 0 strict_json_output = true timezone = 'UTC'
select f.value::int as a, f.index from t, lateral flatten(input => t.b, outer => true) f
select t.a, f.value:x::varchar from t, table(flatten(input => parse_json(t.b), path => 'c')) as f
select * from t match_recognize (partition by a order by b measures match_number() as mn, first(b) as fb, last(b) as lb, classifier() as c one row per match after match skip to last up pattern (strt down+ up*) define down as c < lag(c), up as c > lag(c))
select object_construct('a', 1, 'b', x) from t
select object_construct(*) from t
select $1, $2:a::int from @db.sch.stage/path/file.json (file_format => 'f', pattern => '.*json')
select t.$1, metadata$filename from @stage/a t
list @db.sch.landing/path pattern = '.*csv'
select * from t at(offset => -60*5)
select * from t before(statement => '8e5d0ca9-005e-44e6-b858-a8f5b37c5726')
select * from t at(timestamp => '2024-01-01 00:00:00'::timestamp_ltz)
create table t2 clone t at(offset => -3600)
create schema s2 clone s1
alter table t1 swap with t2
alter schema s1 swap with s2
copy into t from @s files = ('a.csv') file_format = (type = csv skip_header = 1) on_error = continue purge = true
copy into t (a, b) from (select $1::int, t.$2 from @s/x t) pattern = '.*[.]csv' file_format = (format_name = f) force = true
copy into @s/out/ from (select a, b from t) file_format = (type = parquet) header = true overwrite = true
select sum(a) over (partition by b order by c rows between 3 preceding and current row) from t
select sum(a) over (partition by b order by d range between interval '7 days' preceding and current row) from t
select avg(a) over (order by c range between unbounded preceding and unbounded following) from t
select * from t where a ilike any ('%x%', 'y%') and b like all ('a%', '%b')
select * exclude (a, b) rename (c as d) from t
select * replace (upper(a) as a) from t
select * ilike '%id%' from t
select a:b.c::int, a:b[0].d, a['x']['y'][0]::varchar from t
select * from t asof join u match_condition (t.at >= u.at) on t.id = u.id
select listagg(distinct a, ',') within group (order by a) from t
select listagg(a, ',') within group (order by b) over (partition by c) from t
create or replace function f(a int, b varchar) returns varchar language sql as $$ a || b $$
create function f(x float) returns float language python runtime_version = '3.11' handler = 'g' as $$
    def g(x):
        return x ** 2 // 3
    $$
create or replace procedure p(a int) returns varchar language sql as $$ begin let x := 1; return 'a' || :x; end; $$
create or replace procedure p() returns int language sql as begin let x int := 1; if (x = 1) then return 2; end if; return 3; end
execute immediate $$ begin return 1; end; $$
declare x int default 0; begin for i in 1 to 10 do x := x + i; end for; return x; end
grant select on all tables in schema db.s to role r
grant usage, create table on schema db.s to role r
grant select on future tables in schema db.s to role r
grant role a to user b
use role r; use warehouse w; use schema db.s
alter session set query_tag = 'x'
alter session set timezone = 'UTC', week_start = 1
select max_by(a, b), min_by(a, b, 3) from t
select array_agg(a) within group (order by b desc) from t
select array_agg(distinct a) from t
select percentile_cont(0.5) within group (order by a) from t
select approx_percentile(a, 0.5), hll(a), approx_count_distinct(a) from t
select * from (select a, b, c from t) pivot (sum(c) for b in ('x', 'y')) as p (a, x, y)
select * from t pivot (sum(c) for b in (any order by b))
select * from t unpivot (v for k in (a, b, c))
select * from t unpivot include nulls (v for k in (a, b))
select level, a from t start with b is null connect by prior a = b
select sys_connect_by_path(a, '/') from t start with b is null connect by prior a = b
select * from t sample (10)
select * from t tablesample bernoulli (3.5) seed (82)
select * from t sample row (100 rows)
select * from table(generator(rowcount => 10)) g
select seq4(), uniform(1, 10, random()), randstr(5, random()) from table(generator(rowcount => 5))
select * from table(result_scan(last_query_id()))
select * from table(information_schema.query_history(dateadd('hours', -1, current_timestamp()), current_timestamp()))
select * from db.information_schema.tables where table_schema = 'X'
insert overwrite into t select * from u
insert all when a > 1 then into t1 when a > 2 then into t2 (x) values (a) else into t3 select a from u
insert into t (a, b) select 1, parse_json('{"x": 1}')
insert into t (a, b) values (1, 2), (3, 4)
merge into t using (select * from s) s on t.id = s.id when matched and s.d then delete when matched then update set t.a = s.a, b = s.b when not matched then insert (id, a) values (s.id, s.a)
update t set a = u.a from u where t.id = u.id
delete from t using u where t.id = u.id
truncate table if exists t
create or replace transient table t (a int not null, b varchar(10) default 'x' comment 'c', c number(38, 0) autoincrement start 1 increment 1, primary key (a))
create table t (a variant, b object, c array, d geography, e vector(float, 3), f timestamp_tz(3), g uuid)
create table t (a array(int), b map(varchar, int), c object(x int, y varchar))
create or replace dynamic table d target_lag = '1 hour' warehouse = w as select a from t
create stream s on table t append_only = true
create task tk warehouse = w schedule = 'USING CRON 0 9 * * * UTC' when system$stream_has_data('s') as insert into t select 1
create or replace view v (a, b) copy grants as select 1, 2
create materialized view mv as select a, count(*) as n from t group by a
create masking policy p as (val string) returns string -> case when current_role() in ('A') then val else '***' end
alter table t add column if not exists a int
alter table t alter column a set data type varchar(20)
alter table t rename column a to b
alter table t drop column if exists a, b
alter table t cluster by (a, to_date(b))
alter table t modify column a set masking policy p
create sequence s start = 1 increment = 1; select s.nextval
undrop table t
comment on table t is 'x'
show tables like 'x%' in schema db.s
describe table t
show grants to role r
show tables ->> select "name" from $1 where "rows" > 0
put file:///tmp/a.csv @~/x auto_compress = true
set x = (select max(a) from t); select $x, identifier($y) from t
select transform(a, x -> x + 1), filter(b, x int -> x > 1), reduce(c, 0, (acc, v) -> acc + v) from t
select a from t qualify row_number() over (partition by b order by c desc) = 1
select a, row_number() over (order by b) as rn from t qualify rn = 1
select a, b, count(*) from t group by all order by all
select a, grouping(a), count(*) from t group by grouping sets ((a), ())
select a, b, sum(c) from t group by rollup (a, b)
select a, sum(b) as s, s * 2 from t group by 1
select date_trunc('month', d) as m, count(*) from t group by m
select date_trunc('month', d), count(*) from t group by date_trunc('month', d)
select dateadd(day, 1, d), datediff('second', a, b), date_part(epoch_second, d), extract(year from d) from t
select last_day(d, 'week'), next_day(d, 'fr'), time_slice(d, 15, 'minute') from t
select d + interval '1 day, 2 hours' from t
select to_char(d, 'YYYY-MM-DD'), to_date('2020-01-01', 'YYYY-MM-DD'), try_to_number('1.5', 10, 2) from t
select regexp_substr(a, '(\\\\d+)', 1, 1, 'e', 1), regexp_replace(a, '[0-9]+', 'x', 1, 2, 'i'), regexp_like(a, $$\d+$$) from t
select a rlike '[a-z]+', a regexp 'x' from t
select iff(a > 1, 'x', 'y'), nvl2(a, b, c), zeroifnull(a), decode(a, 1, 'x', 'y'), div0(a, b) from t
select try_cast('1' as int), try_cast(a as number(10, 2)) from t
select count_if(a > 1), boolor_agg(b), sum(iff(c, 1, 0)), any_value(d) from t
select conditional_true_event(a > 1) over (order by b), ratio_to_report(c) over () from t
select lag(a) ignore nulls over (partition by b order by c), first_value(a) ignore nulls over (order by b) from t
select a from t1 natural join t2
select * from t1 left outer join t2 using (a, b) cross join t3
select * from t1, lateral (select max(b) as m from t2 where t2.a = t1.a) x
select * from t where a = (select max(b) from u where u.c = t.c)
select * from t where exists (select 1 from u where u.a = t.a and u.b > 3)
select * from t where (a, b) in (select c, d from u)
select * from t where a = any (select b from u)
select a from t minus select b from u
select a from t union all by name select b from u
with recursive c as (select 1 as n union all select n + 1 from c where n < 10) select * from c
with a (x) as (select 1), b as (select x from a) select * from b
select top 10 a from t order by a
select a from t order by b desc nulls last limit 10 offset 5
select a from t limit null offset 2
select a from t fetch first 5 rows only
select [1, 2, 3], {'a': 1, 'b': [1]}, array_construct(1, 2)
select column1, column2 from values (1, 'a'), (2, 'b')
select v.a from (values (1), (2)) as v (a)
select 'it''s', 'a\'b', $$it's$$, x'FF' 
select current_timestamp, current_date(), sysdate(), convert_timezone('UTC', 'America/New_York', d) from t
select sha2(a, 256), md5(b), hash(*), uuid_string() from t
select st_distance(a, b), h3_latlng_to_cell(1, 2, 3) from t
select ai_classify(a, ['x', 'y']) from t
select snowflake.cortex.complete('model', 'x')
select db.sch.my_udf(a) from t
select * from table(db.sch.my_table_function(1, 'a'))
select a, from t
begin transaction; insert into t values (1); commit
call my_proc(1, 'x')
create or replace file format f type = csv field_delimiter = '|' null_if = ('NULL', '')
create stage s url = 's3://b/x' storage_integration = i
create warehouse if not exists w with warehouse_size = xsmall auto_suspend = 60
create user u type = service rsa_public_key = 'x' default_role = r
create role if not exists r
create or replace table t as select * from u
create table t like u
create or replace temporary table t (a int)
explain using text select 1
select get_ddl('table', 't')
select a is distinct from b, equal_null(a, b) from t
select bitand(a, b), bitshiftleft(a, 2), a % 2, mod(a, 3) from t
select to_timestamp_ntz(1700000000), to_timestamp('2020-01-01'), date '2020-01-01', timestamp '2020-01-01 00:00:00' from t
select cast(a as timestamp with time zone), a::double precision, a::char(3) from t
select position('a' in b), charindex('a', b), contains(a, 'x'), startswith(a, 'y') from t
select width_bucket(a, 0, 10, 5), trunc(a, 2), round(a, 2), ceil(a) from t
select split(a, ',')[0]::varchar, strtok(a, '-', 1), split_part(a, '-', -1) from t
select value from table(split_to_table('a,b', ','))
select a from t changes(information => default) at(timestamp => '2020-01-01'::timestamp)
select median(a), mode(b), stddev(c), corr(d, e), kurtosis(f) from t
select xmlget(a, 'x'):"$"::varchar from t
select system$typeof(a) from t
select object_keys(a), object_insert(a, 'b', 1), array_size(b), array_contains('x'::variant, c) from t
create external table e (a int as (value:c1::int)) with location = @s/ file_format = (type = parquet)
drop table if exists t cascade
revoke select on table t from role r
select a from t where a in (1, 2) and not b between 1 and 2 or c is null
select count(distinct a, b), count(*) from t
select sum(sum(a)) over (order by b) from t group by b
select case when a then 1 else 0 end as x, x + 1 as y from t
select $x as a, :b as c
select t.a, u.b from t inner join lateral (select b from v where v.a = t.a) u
select * from t at (timestamp => 'Fri, 01 May 2015 16:20:00 -0700'::timestamp_tz)
select * from t at (stream => 's')
select * from t before (statement => last_query_id())
select * from t at (timestamp => dateadd(hour, -1, current_timestamp()))
create or replace table t clone u at (timestamp => to_timestamp_tz('04/05/2013 01:02:03', 'mm/dd/yyyy hh24:mi:ss'))
create or replace table t clone u copy grants
create database d2 clone d1 at (offset => -3600)
create or replace table t copy grants as select 1 as a
execute immediate $$ declare x int; begin x := 1; return x; end; $$
execute immediate 'select 1'
execute immediate $stmt
execute immediate from @stage/script.sql
begin let c cursor for select a from t; open c; for r in c do let x := r.a; end for; return 1; exception when other then return sqlerrm; end
select a, b from t sample system (3) seed (82)
select * from t1 sample (25), t2 sample (50)
select * from t tablesample block (20)
select * from t sample (10 rows)
select array_agg(distinct a) within group (order by a) from t
select listagg(distinct a, ', ') within group (order by a desc) over (partition by b) from t
select try_to_date('2020-01-01', 'YYYY-MM-DD'), try_to_timestamp_ntz(a), try_to_number(b, '99.9', 3, 1), try_to_decimal(c, 10, 2), try_to_boolean(d), try_to_time(e), try_parse_json(f) from t
select convert_timezone('America/New_York', a), convert_timezone('UTC', 'Asia/Tokyo', b) from t
merge into t using (values (1, 2)) as s (id, v) on t.id = s.id when matched then update set v = s.v when not matched then insert values (s.id, s.v)
merge into t as a using s as b on a.id = b.id when not matched then insert (id, v) values (b.id, default)
merge into t using s on t.id = s.id when matched and t.x is null then delete when matched and s.y > 1 then update set t.a = s.a when not matched and s.z then insert (id) values (s.id)
merge into t using s on t.id = s.id when matched then update all by name when not matched then insert all by name
copy into @~/unload/ from t overwrite = true single = true max_file_size = 5368709120 file_format = (type = csv compression = gzip field_optionally_enclosed_by = '"' null_if = ())
copy into 's3://b/x/' from (select object_construct(*) from t) storage_integration = i file_format = (type = json)
copy into @%t from t partition by ('date=' || to_varchar(d, 'YYYY-MM-DD')) file_format = (type = parquet) max_file_size = 32000000 header = true
copy into t from @%t match_by_column_name = case_insensitive file_format = (type = parquet)
copy into t from @s/x pattern = '.*/.*[.]csv[.]gz' on_error = 'skip_file_5%' size_limit = 1000 return_failed_only = true
copy into t from @s validation_mode = return_all_errors
copy into t (a, b) from (select t.$1, to_date(t.$2, 'YYYYMMDD') from @s (pattern => '.*x.*') t)
copy into t from 's3://b/x' credentials = (aws_key_id = 'a' aws_secret_key = 'b') encryption = (master_key = 'c') file_format = (format_name = f)
copy into t from 's3://b/x' storage_integration = i load_uncertain_files = true truncatecolumns = true enforce_length = false
copy into t from (select $1:a::int, $1:b.c::varchar, metadata$filename, metadata$file_row_number, metadata$start_scan_time from @s) file_format = (type = json strip_outer_array = true) include_metadata = (a = metadata$filename)
select * from t match_recognize (partition by c order by d measures match_number() as n, first(d) as s, last(d) as e, count(*) as r, count(down.*) as x one row per match after match skip to last up pattern (a down+ up+) define down as p < lag(p), up as p > lag(p)) order by c
select * from t match_recognize (order by d all rows per match pattern (a{2,3} b*?) define a as v > 1)
select * from t pivot (avg(a) for q in ('Q1', 'Q2') default on null (0)) as p
select * from t pivot (sum(amount) for quarter in (any)) order by empid
select * from t pivot (sum(amount) for quarter in (select distinct q from u where r = 1))
select * from t unpivot exclude nulls (sales for month in (jan as january, feb as february))
select a from t qualify 1 = row_number() over (partition by b order by c)
select a, sum(b) over (partition by c) as s from t where d > 1 qualify s > 10 order by s
select * exclude a from t
select t.* exclude (a, b), u.* rename (c as d) from t, u
select * exclude a rename b as c from t
select $1:path::string, $1['x']::int, value:y.z[0]::varchar from @s/x (file_format => 'j')
select t.$1, t.$2 from values (1, 2), (3, 4) as t
select a:b:c, a['b']['c'], a:"b c"::int from t
select a from t where b ilike any ('x%', '%y') and c not like all ('a', 'b') and d rlike 'x.*'
select a from t, lateral flatten(input => t.b, path => 'c.d', outer => true, recursive => true, mode => 'array')
select f.key, f.value, f.index, f.this, f.path, f.seq from t, lateral flatten(t.b) f
select * from table(flatten([1, 2]))
select * from lateral (select 1)
select t.value from t, lateral split_to_table(t.a, ',') s
select * from table('db.s.t')
select identifier('a') from table($x)
select * from t order by 1 offset 5 rows fetch next 5 rows only
select a, b, grouping_id(a, b), sum(c) from t group by cube (a, b)
select distinct a, b from t order by a
select sum(distinct a), avg(b)::number(10, 2), min_by(a, b), count(distinct a, b) from t
select approx_top_k(a, 10), approx_percentile(b, 0.9), minhash(100, *) from t
select percentile_disc(0.9) within group (order by a) over (partition by b) from t
select nth_value(a, 2) from first ignore nulls over (order by b) from t
select sum(a) over (partition by b order by c range between interval '1 day' preceding and interval '1 day' following) from t
select conditional_change_event(a) over (partition by b order by c), width_bucket(a, 1, 2, 3) from t
select 'a\'b\n\t\u26c4', $$a'b$$, x'0a'
select date '2020-01-01', time '01:02:03', timestamp '2020-01-01 01:02:03'
select current_date - 1, current_date + 7, d - e, '2020-01-01'::date + 1 from t
select d + interval '1 year, 3 quarters, 4 months, 5 weeks, 6 days' , interval '1 day' + d from t
select a.*, b.x from t a left join u b on a.id = b.id and b.y = 1 right join v using (id) full join w on true
select * from t, u where t.a = u.a(+)
select * from t asof join u match_condition (t.ts >= u.ts) on t.id = u.id
with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select n from t
select a from t union distinct select b from u
select a <> b, a != b, not c, a and b or c, a || b || 'x', a % 2, -a, a::int / 2 from t
select a is true, b is not false, c is null, d is not null, e is not true from t
insert into t select * from u
insert into t (a, b) select a, b from u union all select 1, 2
insert overwrite into t (a) values (1), (default)
insert first when a > 1 then into t when a > 2 then into u values (a, b) else into v select a, b from w
insert into t values (1, 'x', current_timestamp(), null), (2, 'y', default, 3)
insert into t with x as (select 1 as a) select a from x
create table if not exists t (a int identity(1, 1), b varchar(16777216) collate 'en-ci', c number(38, 37), d timestamp_ltz(0) default current_timestamp(), e variant, f varchar as (e:x::varchar), unique (a), foreign key (b) references u (b))
create or replace table t (a int not null unique primary key comment 'x', b boolean default false) cluster by (a, b) data_retention_time_in_days = 1 comment = 'x' enable_schema_evolution = true change_tracking = true
create table t using template (select array_agg(object_construct(*)) from table(infer_schema(location => '@s', file_format => 'f')))
create or replace transient table s.t as (select 1 as a)
create hybrid table h (a int primary key, b int, index i (b))
create or replace iceberg table i (a int) catalog = 'SNOWFLAKE' external_volume = 'v' base_location = 'b'
create dynamic table d target_lag = downstream warehouse = w refresh_mode = incremental initialize = on_create as select a, count(*) as n from t group by a
create or replace secure view v comment = 'x' as select 1 as a
create or replace recursive view v (a) as select 1
create temporary view v as select 1 as a
create view v (a comment 'x', b) as select 1, 2
create materialized view m as select a, sum(b) as s, count(*) as n from t where a > 1 group by a
create or replace stream s on table t at (offset => -60) append_only = true
create task k warehouse = w schedule = '5 minute' after j when system$stream_has_data('s') as call p()
create or replace pipe p auto_ingest = true as copy into t from @s file_format = (type = csv)
create sequence if not exists s with start with 1 increment by 2 order comment = 'x'
create file format f type = json strip_outer_array = true
create or replace function f(a int default 1) returns table (x int, y varchar) as $$ select a, 'x' $$
create function f(a varchar) returns varchar language javascript strict immutable as $$ return A; $$
create procedure p(a int) returns table (x int) language sql execute as caller as $$ declare r resultset default (select 1 as x); begin return table(r); end $$
create external function f(a int) returns variant api_integration = i as 'https://x.y/z'
create row access policy p as (a varchar) returns boolean -> current_role() = 'X'
create tag t allowed_values 'a', 'b'
create schema if not exists s with managed access data_retention_time_in_days = 0
create transient database d
create resource monitor m with credit_quota = 5 triggers on 75 percent do notify on 100 percent do suspend
create network policy n allowed_ip_list = ('1.2.3.4')
alter table t add a int, b int
alter table t alter column a drop not null
alter table t alter a set default s.nextval, column b drop default
alter table t drop column a, b
alter table t alter a type varchar(20)
alter table t modify column a varchar(20)
alter table t set comment = 'x'
alter table t unset comment
alter table t set tag x = 'y'
alter table t suspend recluster
alter table t add constraint p primary key (a)
alter table t add search optimization on equality(a)
alter table t swap with u
alter view v set secure
alter view v rename to w
alter warehouse w set warehouse_size = 'LARGE'
alter warehouse w suspend
alter task t resume
alter dynamic table d refresh
alter session unset query_tag
alter user u set rsa_public_key_2 = 'x'
alter pipe p refresh
alter schema s rename to r
alter stage s set url = 's3://x/'
alter sequence s set increment by 2
drop table if exists t restrict
drop schema s cascade
drop function f(int, varchar)
drop procedure p()
drop view v
drop stage s
drop database if exists d
undrop schema s
show tables in schema s
show columns in table t
show grants on table t
show grants of role r
show terse schemas like 'x%' in database d limit 5
show parameters like 'timezone' in session
show warehouses
describe view v
desc table t type = stage
describe function f(int)
use database d
use warehouse w
use secondary roles none
use role identifier($r)
set (a, b) = (1, 'x')
grant ownership on table t to role r revoke current grants
grant all privileges on all tables in schema s to role r with grant option
grant select on future views in database d to role r
grant database role d.r to role q
grant usage on integration i to role r
grant imported privileges on database snowflake to role r
grant monitor usage on account to role r
grant usage on function f(int, varchar) to role r
grant role r to role q
grant usage on database d to share s
grant apply masking policy on account to role r
grant create schema on database d to role r
grant select, insert on table t to r
revoke all on schema s from role r cascade
revoke role r from user u
revoke grant option for select on table t from role r
get @s/x file:///tmp/
put file:///tmp/x* @s auto_compress = false overwrite = true parallel = 4
call p(a => 1, b => 'x')
call p($x)
explain using json select 1
select ntile(2) over (order by a desc nulls last), sum(a) over (order by b rows unbounded preceding) from t
select vector_cosine_similarity(a, b), [1, 2]::vector(int, 2) from t
select a::object(x int, y varchar not null)::variant, b::map(varchar, int), c::array(varchar not null) from t
select {'a': 1, 'b': {'c': [1, 2]}}, {*}, {t.*} from t
select reduce([1,2], 0, (a, x) -> a + x), transform(a, x int -> x * 2) from t
select try_cast('x' as date), cast(a as varchar(3)), a::varchar(3) from t
select * from t changes (information => append_only) at (timestamp => $ts) end (timestamp => current_timestamp())
select a from t group by all having count(*) > 1 order by all desc
select a, b from t order by 1, 2 desc nulls last
select a from t where b = ? and c in (?, ?)
