//! A small file of each tool's, system's and archive's format, as they write them; names and addresses are made up.

pub const K6_CSV: &str =
    "metric_name,timestamp,metric_value,check,error,expected_response,group,method,name,proto,scenario,status,url
http_reqs,1772445600,1.000000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
http_req_duration,1772445600,245.590000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
http_req_waiting,1772445600,240.000000,,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/
vus,1772445600,3.000000,,,,,,,,,,
http_reqs,1772445601,1.000000,,,true,,GET,https://example.com/a,HTTP/2.0,warm,500,https://example.com/a
http_req_duration,1772445601,1500.000000,,,true,,GET,https://example.com/a,HTTP/2.0,warm,500,https://example.com/a
iteration_duration,1772445601,1750.000000,,,,,,,,default,,
vus,1772445601,4.000000,,,,,,,,,,
";

pub const K6_JSON: &str = r#"{"type":"Metric","data":{"name":"http_req_duration","type":"trend","contains":"time","thresholds":[],"submetrics":null},"metric":"http_req_duration"}
{"metric":"http_reqs","type":"Point","data":{"time":"2026-03-02T11:00:00.5+01:00","value":1,"tags":{"method":"GET","name":"https://example.com/","scenario":"default","status":"200"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-03-02T11:00:00.5+01:00","value":400.25,"tags":{"method":"GET","name":"https://example.com/","scenario":"default","status":"200"}}}
{"metric":"http_req_duration","type":"Point","data":{"time":"2026-03-02T11:00:00.6+01:00","value":550,"tags":{"method":"GET","name":"https://example.com/a","scenario":"warm","status":"500"}}}
{"metric":"vus","type":"Point","data":{"time":"2026-03-02T11:00:01+01:00","value":3,"tags":null}}
"#;

pub const JMETER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect
1772445600000,120,GET /login,200,OK,T 1-1,text,true,,100,10,1,1,https://example.com/login,110,0,10
1772445600130,80,GET /home,200,OK,T 1-1,text,true,,100,10,1,1,https://example.com/home,70,0,0
1772445600000,210,Login,200,\"Number of samples in transaction : 2, number of failing samples : 0\",T 1-1,,true,,200,20,1,1,null,180,0,10
1772445599000,2000,GET /slow,500,Error,T 1-2,text,false,,100,10,1,2,https://example.com/slow,70,0,0
";

pub const GATLING: &str = "RUN\texample.Basic\tbasic\t1772445600000\t \t3.5.1
USER\tS\tSTART\t1772445600100
REQUEST\t\trequest_1\t1772445600120\t1772445600220\tOK\t 
REQUEST\tcart,pay\trequest_2\t1772445600320\t1772445600470\tKO\tstatus.find.is(200), but actually found 500
GROUP\tcart,pay\t1772445600320\t1772445600470\t150\tKO
USER\tS\tEND\t1772445600500
";

pub const SWF: &str = "; Version: 2.2
; UnixStartTime: 1772445600
; MaxProcs: 64
    1     0     5    100     8  -1    -1     8    -1    -1  1   3   1  -1  1 -1 -1 -1
    2    30     0     10     1  -1    -1     1    -1    -1  1   3   1  -1  1 -1 -1 -1
    3    40     0     -1     1  -1    -1     1    -1    -1  5   3   1  -1  1 -1 -1 -1
";

pub const GOOGLE_2011: &str = "0,2,3418309,0,4155527081,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
600000000,,3418310,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
601000000,,3418310,0,1,1,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,3,9,0.125,0.07446,0.0004244,0
602500000,,3418311,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,0,2,0.0125,0.07446,0.0004244,
9223372036854775807,,3418311,0,,0,70s3v5qRyCO/1PCdI6fVXnrW8FU/w=,0,2,0.0125,0.07446,0.0004244,
";

pub const GOOGLE_2019: &str = "time,type,collection_id,scheduling_class,missing_type,collection_type,priority,alloc_collection_id,user,collection_name
0,0,1,2,,0,200,,a,b
600000000,0,2,2,,0,200,,a,b
601000000,3,2,2,,0,200,,a,b
602000000,0,3,2,,1,200,,a,b
603000000,0,4,2,,0,200,,a,b
";

pub const GOOGLE_2019_JSON: &str = r#"{"time":"600000000","type":"SUBMIT","collection_id":"2","collection_type":"JOB","priority":"200"}
{"time":"601000000","type":"SCHEDULE","collection_id":"2","collection_type":"JOB","priority":"200"}
{"time":"603000000","type":"SUBMIT","collection_id":"4","collection_type":"JOB","priority":"25"}
"#;

pub const BITBRAINS: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]
1376314846;\t4;\t11703.99824;\t10912.25;\t93.23333333333333;\t67108864.0;\t6129274.4
1376315146;\t4;\t11703.99824;\t10890.5;\t93.05;\t67108864.0;\t6129274.4
";

pub const MATERNA: &str =
    "\"Timestamp\";\"CPU cores\";\"CPU capacity provisioned [MHZ]\";\"CPU usage [MHZ]\";\"CPU usage [%]\"
\"04.11.2015 18:10:21\";\"2\";\"0\";\"58\";\"1,01\"
\"04.11.2015 18:15:21\";\"2\";\"0\";\"63\";\"1,125\"
";

/// Every sample, with the format that it is recognised as.
pub const ALL: &[(&str, &str)] = &[
    ("k6", K6_CSV),
    ("k6", K6_JSON),
    ("jmeter", JMETER),
    ("gatling", GATLING),
    ("swf", SWF),
    ("google-cluster", GOOGLE_2011),
    ("google-cluster", GOOGLE_2019),
    ("google-cluster", GOOGLE_2019_JSON),
    ("vm-usage", BITBRAINS),
    ("vm-usage", MATERNA),
];
