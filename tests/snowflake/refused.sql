-- What Snowflake refuses, by the rule of check_sql/rules.py that catches it: a statement a line; an indented line goes on.

-- syntax
select ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
select [x for x in [1,2,3]]
select * replace (1 as a) exclude (b) from t
select a is not distinct from b, a <=> b from t
select * from 'x.csv'
select a union by position select b
create table t (a uinteger, b blob)
delete from t limit 1
truncate t cascade
use memory.main; set threads to 4
select a from (values (1), (2)) t(a) where a in [1, 2]
select a -> 'b' from t
select a.b.c -> '$.d' from t
select a from t for update
select * from t1 join t2 using a
select a from t where a not in (1, 2,, 3)
lock table t
set x to 5
start transaction read only
create user x password 'y'
create table t (id serial primary key)
create unlogged table t (a int)
create table t (a int) with (fillfactor = 70)
create table t (a int) inherits (u)
create extension x
select a from t fetch first 5 rows with ties
select * ilike 'a%' exclude ab from t
select [*] from t
alter table t add column a int, column b varchar add c int

-- function
select list_value(1,2)
select list_transform([1], x -> x)
select string_agg(a, ',' order by b) from t
select regexp_matches(a, '\d+') from t
select epoch_ms(a) from t
select * from generate_series(1, 10)
select * from range(10)
select strftime(d, '%Y') from t
select date_diff('day', a, b) from t
select age(a, b) from t
select unnest([1,2])
select * from unnest([1,2])
select * from read_csv('x.csv')
select now()
select today()
select if(a, 1, 0) from t
select nextval('seq')
create table t (a int default nextval('s'))
select regexp_extract(a, '(\d)', 1) from t
select bool_and(a), bool_or(a) from t
select first(a), last(a) from t
select quantile_cont(a, 0.5) from t
select arg_max(a, b) from t
select histogram(a) from t
select uuid()
select * from t, lateral unnest(t.a) u

-- arguments
select date_trunc('month') from t
select object_construct('a') from t
select count() from t
select coalesce(a) from t
select log(10)
select split_part(a, '.') from t
select ifnull(a) from t
select greatest(), least() from t
select nullif(a) from t
select dateadd(d, interval '1 day')
select position('a', 'b', 'c', 'd')

-- argument-form
select sum(*) from t
select array_agg(a order by b) from t
select trim(both ' ' from a) from t
select substring(a from 1 for 2) from t
select percentile_cont(0.5) from t

-- type
select a::number(10, 20) from t
create table t (a varchar(0))
select a::number(1, 2, 3) from t
select a::int[] from t
select a::hugeint from t
create table t (m enum('a','b'))
select x.a.b.c::json from x
select a::timestamp_s from t
select cast(a as unsigned) from t
select a::text::blob from t
select a::struct(x int) from t
select a::numeric(50, 2) from t
create table t (a number(39, 0), b number(38, 38))
create table t (a varchar(200000000))
select a::timestamp_ntz(10) from t

-- date-part
select date_trunc('decade', d) from t
select extract(millennium from d) from t
select date_part('isodow', d) from t
select last_day(d, 'decade') from t
select datediff(a, b) from t

-- reserved
select 1 as order
select 1 as rows

-- regex
select regexp_replace(a, '(a)\\1', '') from t
select regexp_substr(a, '.*?b') from t

-- regex-escape
select regexp_like(a, '\d+') from t

-- regex-flags
select regexp_replace(a, 'b', 'c', 'g') from t

-- literal
select e'a\nb'
select 1_000_000
select 'a' 'b'
select timestamptz '2020-01-01'
select timestamp_ntz '2020-01-01 00:00:00'
select timestamp with time zone '2020-01-01 00:00:00+00'

-- struct
select map {'a': 1}
select map([1],[2])
select row(1, 2)
select (1, 2)
select array[1, 2]
select @x
select {a: 1}

-- slice
select a[1:2] from t

-- lambda
select list_transform([1], lambda x: x + 1)

-- aggregate-filter
select count(*) filter (where a > 1) from t

-- distinct-on
select distinct on (a) a, b from t order by b

-- time-zone
select a at time zone 'UTC' from t

-- integer-division
select a // b from t

-- interval
select d + interval 1 day from t
select d + interval (n) day from t
select current_date - interval '1' day * 3
select interval '1 day'
select d + interval '1' hour from t
select interval '1-2' year to month

-- limit
select * from t limit;
select * from (select a from t limit)
select top 5 percent a from t
select a from t limit 10%
select a from t order by a limit all
select a from t where a in (select b from u order by c limit 1 percent)
select top (10) a from t

-- operator
select a & b, a | b, a << 2 from t
select a ~ 'x' from t
select a ^ 2, a ** 2 from t
select a ->> '$.b' from t
select a == 1 from t
select 'a' glob 'b*'
select a similar to 'b' from t
select a #> 'b' from t
select a #>> 'b', a #- 'c' from t

-- assignment
select struct_pack(a := 1)

-- join
select * from t1 positional join t2
select * from t1 semi join t2 using (a)
select * from t1 anti join t2 using (a)
select a from t natural semi join u
select * from t cross join u on t.a = u.a
select * from t cross join u using (a)

-- asof
select * from t1 asof join t2 on t1.a >= t2.a
select a from t asof join u match_condition (t.a = u.a) on t.b = u.b
select a from t asof join u match_condition (t.a::date = coalesce(u.a, u.b))
select a from t asof join u match_condition (t.a <> u.a)

-- from-first
from t select a
from t
create table t as from u

-- columns
select columns('a.*') from t
select a.* exclude (b), columns(*) from t a

-- star
select * like 'a%' from t
select * except (a) from t

-- sample
select * from t using sample 10%
select a from t tablesample reservoir(10 rows)
select a from t tablesample 10%

-- upsert
insert into t by name select 1 as a
insert or replace into t values (1)
insert into t values (1) on conflict do nothing
insert into t values (1) returning a
delete from t where a = 1 returning *
update t set a = 1 returning a

-- merge
merge into t using s on t.id = s.id when not matched by source then delete
merge into t using s using (id) when matched then update
merge into t using s on t.id = s.id when matched then update set *
merge into t using s on t.a = s.a when matched then update set a = s.a where s.b > 1

-- set-operator
select a from t intersect all select b from u

-- materialized
with a as materialized (select 1 as x) select * from a
with recursive a using key (x) as (select 1 as x union select 2) select * from a

-- named-window
select a, row_number() over w from t window w as (partition by a order by b)

-- frame
select sum(a) over (order by b rows between current row and 1 preceding) from t
select sum(a) over (order by b rows between 2 following and current row) from t
select sum(a) over (order by b rows between 1 preceding and unbounded preceding) from t
select sum(a) over (order by b groups between 1 preceding and current row) from t
select sum(a) over (order by b rows between 1 preceding and current row exclude current row) from t
select sum(a) over (rows 2 preceding) from t
select sum(a) over (partition by b rows between 1 preceding and 1 following) from t

-- any-list
select * from t where a = any([1,2])
select a from t where a ilike any ['x', 'y']

-- statement
create table t (a int) partition by (a)
values (1), (2)
describe select 1
pivot t on c using sum(x)
select * from (pivot t on c using sum(x))
create or replace temp macro f(a) as a + 1
create type mood as enum ('a')
summarize t
pragma threads=4
attach 'x.db' as x
install httpfs
explain analyze select 1
create index i on t (a)
checkpoint
vacuum
reset threads
set global threads = 4
export database 'x'
drop type x
alter domain d drop default

-- create
create or replace table if not exists t (a int)

-- alter
alter table t rename a to b
alter table t alter column a type int using a::int
alter table t add column c int after b
alter table t add column c number(10, 2) first
alter index i rename to j

-- copy
copy t to 'x.parquet'
copy t from 'x.csv'
copy into t from 's3://b/x' credentials = (aws_key_id = 'a') csv header
copy into t from @s with (format csv)
copy into t from @s on_error = continue limit 1

-- copy-select
copy into t from (select $1 from @s where $1 = 'x')
copy into t from (select sum($1) from @s)
copy into t from (select upper($1) from @s)
copy into t from (select distinct $1 from @s)
copy into t from (select * from @s)

-- copy-limit

-- backtick
select `a` from t

-- method
select "a".upper() from t

-- ordinality
select * from t, unnest(x) with ordinality

-- order-of-window
select row_number() as rn, a from t
select a, lag(b) from t
select first_value(a) ignore nulls as b from t
select a from t where ntile(4) = 1
select dense_rank() over (partition by a) from t
select cume_dist() over (partition by a) from t
select row_number() over (partition by a) from t
select lag(a) over (partition by b) from t

-- window
select median(a) over (partition by b order by c) from t
select count(distinct a) over (order by b) from t
select a from t where row_number() over (order by a) = 1
select a from t where count(*) > 1
select a from t group by all having sum(sum(a)) > 1
select sum(count(*)) from t
select a from t qualify a > 1
select sum(distinct a) over (partition by b order by c) from t

-- grouping
select a from t order by sum(b)
select a, count(*) from t
select a, b, sum(c) from t group by a
select a[-1] from (select 1 as a) group by 2, b
select max(a) filter (b > 1) from t
select count(*) filter (where a > 1) from t
select a from t having count(*) > 1
select count(*) from t order by a
select distinct a from t order by b

-- subquery
select (select b from u where u.a = t.a limit 1) from t
select a from t where exists (select 1 from u where u.a = t.a limit 1)
select (select max(u.b) from u where u.a < t.a) from t
select a from t where exists (select 1 from u where coalesce(u.a, t.a) = 1)

-- operand
select try_cast(1.5 as int)
select try_cast(sum(a) as varchar) from t
select sum(a > 1) from t
select avg(a = b) from t
select array_contains([1,2], 1)
select [1] || [2]
select true + 1
select date '2020-01-01' + 1, timestamp '2020-01-01 00:00:00' - timestamp '2020-01-01 00:00:00'

-- name
select x.a from t
select t1.a from t t1 join u t1 on true
select a from (select b from t)
insert into t (a, a) values (1, 2)
with x as (select 1 as a), y as (select 1 as a) select a from x inner join y on x.a = y.a
create table t (a int, a varchar)
create view v as select 1 as a, 2 as a
select a[-1] from (select 1 as a) group by 2, b

-- columns-count
create view v (a, b) as select 1
select 1 union all select 1, 2
insert into t (a, b) values (1)
select (select a, b from u) from t
select a from t where b in (select c, d from u)
select a from t where (a, b) in (select c from u)

-- ddl-in-transaction
begin; create table t (a int); commit

-- drop
drop table a, b
drop view if exists a, b
drop function f
drop table t purge

-- only
select a from only t
select * from only (t)
update only t set a = 1
merge into only t using s on t.a = s.a when matched then delete
delete from only t

-- identity
create table t (a int generated always as identity)
create table t (a int, b int generated always as (a + 1) stored)
create sequence s minvalue 1 cache 10

-- language
create function f() returns table (a int) language plpgsql as $$ begin end $$
create procedure p() language plpgsql as $$ begin end $$

-- collation
select a, b from t order by a collate nocase
select a collate "C" from t

-- grant
grant usage on warehouse w to r2, r3
grant select on t to r
revoke select on t from r
grant select (a) on table t to role r
grant select on table t to role r with admin option
grant usage on table t to role r
grant select, insert on view v to role r
grant usage on all tables in schema s to role r
grant update on future views in database d to role r
revoke grant option for insert on dynamic table d from role r
grant select on schema s to role r
grant select on warehouse w to role r
grant read on file format f to role r
grant operate on view v to role r
grant usage on task k to role r

-- materialized-view
create materialized view v as select t.a from t join u using (a)
create materialized view v as select a from t order by a
create materialized view v as select a, row_number() over (order by b) as n from t
create materialized view v as select a, count(*) as n from t group by a having count(*) > 1

-- cast
select cast(a) from t
select try_cast(trim(a) int) from t
select current_date()::int
select a::date::int from t
select cast(d as int) from (select current_date() as d)
select 1::date
select true::timestamp_ntz
select sysdate()::number

-- with
with a as (select 1 as x) insert into t select x from a
with a as (select 1 as x) delete from t using a where t.x = a.x
with a as (select 1 as x) update t set x = a.x from a
with a as (select 1 as x) merge into t using a on t.x = a.x when matched then delete

-- table-function
select * from flatten(input => [1])
select * from generator(rowcount => 5)
select f.value from t, flatten(t.a) f

-- lateral
select * from t, (select * from u where u.a = t.a) x
select * from t inner join lateral (select * from u where u.a = t.a limit 1) x
select * from t left join lateral flatten(t.a) f on true
select * from t inner join table(flatten(input => t.a)) f on f.value = t.b

-- option
copy into t from @s on_error = ignore
copy into t from @s match_by_column_name = yes
copy into t from @s purge = always
copy into t from @s validation_mode = return_some_rows
copy into t from @s file_format = (type = exel)
copy into t from @s file_format = (type = csv compression = 'rar')
copy into t from @s file_format = (type = csv parse_header = true skip_header = 1) match_by_column_name = case_insensitive
create pipe p auto_ingest = true as copy into t from @s on_error = ignore
create file format f type = csv parse_header = true skip_header = 1
create file format f type = csv trim_space = yes
alter file format f set compression = rar
create stage s url = 's3://b/x' encryption = (type = 'AES') file_format = (type = csv)
create stage s file_format = (type = csv binary_format = octal)
create warehouse w warehouse_size = tiny
create warehouse w with warehouse_size = 'MEDIUM-LARGE' auto_resume = true
alter warehouse w set warehouse_size = huge
create warehouse w scaling_policy = cheap
create user u type = robot
alter user u set type = machine
create dynamic table d as select 1 as a
create dynamic table d target_lag = '1 hour' as select 1 as a
create or replace transient dynamic table d warehouse = w as select a from u
create dynamic table d target_lag = 'often' warehouse = w as select 1 as a
create dynamic table d target_lag = downstream warehouse = w refresh_mode = sometimes as select 1 as a
create task k warehouse = w schedule = 'every day' as select 1
create task k warehouse = w schedule = 'USING CRON 0 9 * * *' as select 1
create task k warehouse = w schedule = 'USING CRON 0 9 * * UTC' as select 1
create task k warehouse = w schedule = '5' as select 1
alter task k set schedule = '1 day'
create alert a warehouse = w schedule = 'hourly' if (exists (select 1)) then call p()
create storage integration i type = external_stage storage_provider = 'S3' enabled = true storage_aws_role_arn = 'x'
create storage integration i type = external_stage enabled = true storage_allowed_locations = ('s3://b/')
create storage integration i type = external_stage storage_provider = 'MINIO' enabled = true storage_allowed_locations = ('s3://b/')
create storage integration i type = external_stage storage_provider = 'S3' enabled = yes storage_allowed_locations = ('s3://b/')
create stream s on table t append_only = 1

-- block
execute immediate $$ begin let x := 1 return x; end $$
execute immediate $$ declare x int default 0; begin x := 1; return x end $$
create procedure p() returns int language sql as $$ begin if (true) then return 1 end if; return 2; end $$
create procedure p() returns int language sql as begin insert into t values (1) return 1; end
execute immediate $$ begin let x := case when true then 1 else 2 end return x; end $$
